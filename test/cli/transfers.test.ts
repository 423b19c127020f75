import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { TransferView } from "../../src/api/transfers.ts";
import { assembleTorrent } from "../../src/metainfo/assemble-torrent.ts";
import { makeSimTorrent } from "../../src/sim/sim-torrent.ts";
import { seededRandom } from "../../src/sim/seeded-random.ts";
import { everseed, EverseedProcess, type Finished, temporaryFolder } from "./everseed-process.ts";
import { killed } from "./killed.ts";

test("STO-1 a person's torrents: added, listed, there after kill -9, removed with their files", async (context) => {
  const home = temporaryFolder(context);
  const env = {
    EVERSEED_HOME: home,
    EVERSEED_ENGINE_HOST: "127.0.0.1",
    EVERSEED_ENGINE_PORT: "0",
    PATH: process.env["PATH"] ?? "",
  };
  const run = (...args: readonly string[]): Promise<Finished> => everseed(context, args, { env });
  const records = async (...args: readonly string[]): Promise<TransferView[]> => {
    const { exit, stdout, stderr } = await run(...args, "--json");
    assert.equal(exit, 0, stderr);
    return stdout
      .trim()
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as TransferView);
  };
  const made = makeSimTorrent({
    random: seededRandom(3),
    name: "talk.bin",
    size: 300_000,
    pieceLength: 65_536,
    kind: "v1",
  });
  const { infoBytes } = made.metainfo.info;
  const content = join(home, "content");
  mkdirSync(content);
  writeFileSync(join(content, "talk.bin"), made.bytes);
  const torrent = join(home, "talk.torrent");
  const parts = { infoBytes, trackers: [], pieceLayers: new Map() };
  writeFileSync(torrent, assembleTorrent(parts));
  const started = await run("daemon", "start", "--json");
  assert.equal(started.exit, 0, started.stderr);
  context.after(() => run("daemon", "stop"));
  const [added] = await records("add", torrent, "-o", content, "--label", "films");
  assert.ok(added);
  assert.deepEqual([added.name, added.infohashV1, added.label], ["talk.bin", added.id, "films"]);
  const twice = await run("add", torrent);
  assert.equal(twice.exit, 4);
  assert.match(twice.stderr, new RegExp(`talk.bin is here already, as ${added.id}`));
  const limited = ["--merge", "--tracker", "http://127.0.0.1:9/announce"];
  assert.equal((await records("add", torrent, ...limited))[0]!.id, added.id);
  const limits = ["limits", "--label", "films"];
  const ofLabel = await run(...limits, "--up", "2M", "--ratio", "3", "--json");
  const { label, rates, shareLimits } = JSON.parse(ofLabel.stdout) as Record<string, unknown>;
  assert.deepEqual([label, shareLimits], ["films", { ratio: 3 }]);
  assert.match((await run(...limits, "--down", "1M")).stdout, /^Down +1\.0.*\nUp +2\.0/);
  assert.deepEqual(Object.keys(rates as object), ["down", "up"]);
  assert.equal((await run(...limits, "--downloads", "3")).exit, 2);

  await killed((JSON.parse(started.stdout) as { pid: number }).pid);
  assert.equal((await run("daemon", "start")).exit, 0);
  const short = added.id.slice(0, 6);
  const table = await run("ls");
  assert.match(table.stdout, /^ID +NAME +DONE +DOWN +UP +PEERS +ETA +STATE\n/);
  assert.ok(table.stdout.includes(`${added.id.slice(0, 4)}  talk.bin`), table.stdout);
  assert.match((await run("limits")).stdout, /^Down +no limit\n[^]*\nLabels +films\n$/);
  const set = await records("set", short, "--sequential", "on", "--ends-first", "on");
  assert.deepEqual([set[0]!.sequential, set[0]!.firstAndLast], [true, true]);
  const files = await run("files", short, "--high", "*.bin");
  assert.match(files.stdout, /100 % \+  talk\.bin\n$/);
  const playing = new EverseedProcess(context, ["files", short, "--play", "*.bin", "--json"], {
    env,
  });
  const [, url = ""] = await playing.waitFor(/"url":"([^"]+)"/);
  const part = await fetch(url, { headers: { range: "bytes=1000-1999" } });
  assert.deepEqual(
    Buffer.from(await part.arrayBuffer()),
    Buffer.from(made.bytes.subarray(1_000, 2_000)),
  );
  playing.child.kill("SIGINT");
  assert.equal((await playing.finished).exit, 0);
  const named = await run("files", short, "--rename", "talk.bin", "--to", "lecture.bin");
  assert.match(named.stdout, /lecture\.bin\n$/);
  assert.equal(existsSync(join(content, "lecture.bin")), true);
  const alone = await run("files", short, "--rename", "talk.bin");
  assert.match(alone.stderr, /--rename and --to belong together/);
  const following = (...args: readonly string[]) => new EverseedProcess(context, args, { env });
  const [watch, list] = [following("watch"), following("ls", "--watch", "--json")];
  await watch.waitFor(/^Following 1 torrents/m);
  const [first = ""] = await list.waitFor(/^.*\n/);
  assert.equal((JSON.parse(first) as TransferView).id, added.id);
  assert.equal((await run("stop", short)).exit, 0);
  await watch.waitFor(/^\d\d:\d\d:\d\d {2}\w{8} {2}lecture\.bin {2}paused/m);
  await list.waitFor(/"state":"paused"/);
  assert.equal((await run("daemon", "restart")).exit, 0);
  await watch.waitFor(/^The node has ended\./m);
  assert.equal((await run("rm", short, "--with-content")).exit, 0);
  await watch.waitFor(/lecture\.bin {2}removed$/m);
  await list.waitFor(new RegExp(`^{"id":"${added.id}","name":"lecture.bin","removed":true}$`, "m"));
  for (const each of [watch, list]) {
    each.child.kill("SIGINT");
    assert.equal((await each.finished).exit, 0);
  }
  assert.deepEqual(readdirSync(content), []);
});
