import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { fromLatin1 } from "../../src/base/bytes.ts";
import { dictOf, encode } from "../../src/bencode/encode.ts";
import { everseed, EverseedProcess, temporaryFolder } from "./everseed-process.ts";

const PORTS = { EVERSEED_ENGINE_PORT: "0", EVERSEED_TRACKER_UDP_PORT: "0" };

/** A hub in `NAME` below the folder, with a token in `NAME-token`. */
async function startHub(
  context: TestContext,
  cwd: string,
  name: string,
  env: Record<string, string> = {},
): Promise<string[]> {
  await writeFile(join(cwd, "password"), "a harbour full of fog", { mode: 0o600 });
  const token = `${name}-token`;
  const init = ["hub", "init", "--data", name, "--admin", "ann", "--password-file", "password"];
  const made = await everseed(context, [...init, "--token-file", token], { cwd });
  assert.equal(made.exit, 0, made.stderr);
  const start = ["hub", "start", "--data", name, "--port", "0", "--json"];
  const hub = new EverseedProcess(context, start, { cwd, env: { ...PORTS, ...env } });
  return ["--to", `http://127.0.0.1:${await hub.port()}`, "--token-file", token];
}

interface Published {
  readonly infohashV1: string | null;
  readonly infohashV2: string | null;
  readonly magnet: string;
  readonly torrentUrl: string;
}

function lastLine(stdout: string): Published {
  return JSON.parse(stdout.trim().split("\n").at(-1)!) as Published;
}

for (const kind of ["v1", "v2", "hybrid"]) {
  test(`a hub fetches a ${kind} torrent and its magnet link, and publishes both under the same infohash`, async (context) => {
    const cwd = temporaryFolder(context);
    await mkdir(join(cwd, "talks/slides"), { recursive: true });
    await writeFile(join(cwd, "talks/a.bin"), randomBytes(700_000));
    await writeFile(join(cwd, "talks/slides/b.pdf"), randomBytes(40_000));
    await writeFile(join(cwd, "talks/empty"), "");
    // The first hub is the swarm: its tracker and its everseed are on loopback, where this tracker is allowed to lead.
    const first = await startHub(context, cwd, "first");
    const settings = ["--kind", kind, "--piece-size", "64K", "--json"];
    const uploaded = await everseed(context, ["publish", "talks", ...settings, ...first], { cwd });
    assert.equal(uploaded.exit, 0, uploaded.stderr);
    const theirs = lastLine(uploaded.stdout);
    const file = Buffer.from(await (await fetch(theirs.torrentUrl)).arrayBuffer());
    await writeFile(join(cwd, "their.torrent"), file);

    for (const source of ["their.torrent", theirs.magnet]) {
      const name = source === "their.torrent" ? "second" : "third";
      const to = await startHub(context, cwd, name);
      const fetched = await everseed(context, ["publish", source, ...to, "--json"], { cwd });
      assert.equal(fetched.exit, 0, fetched.stderr + fetched.stdout);
      const ours = lastLine(fetched.stdout);
      assert.equal(ours.infohashV1, theirs.infohashV1);
      assert.equal(ours.infohashV2, theirs.infohashV2);
      assert.notEqual(ours.torrentUrl, theirs.torrentUrl);
      // A peer of the new hub gets every byte.
      const got = await everseed(context, ["get", ours.torrentUrl, "-o", `${name}-out`], { cwd });
      assert.equal(got.exit, 0, got.stderr);
      for (const path of ["talks/a.bin", "talks/slides/b.pdf", "talks/empty"]) {
        const bytes = await readFile(join(cwd, `${name}-out`, path));
        assert.ok(bytes.equals(await readFile(join(cwd, path))), path);
      }
      const again = await everseed(context, ["publish", source, ...to, "--json"], { cwd });
      assert.equal(again.exit, 0, again.stderr);
      assert.equal(lastLine(again.stdout).torrentUrl, ours.torrentUrl, "it is here already");
    }
  });
}

test("a torrent that only its publisher has, and that names only this hub, is fetched from its seed", async (context) => {
  const cwd = temporaryFolder(context);
  await writeFile(join(cwd, "tides.bin"), randomBytes(300_000));
  const to = await startHub(context, cwd, "hub");
  const make = ["create", "tides.bin", "--tracker", `${to[1]}/announce`];
  const made = await everseed(context, make, { cwd });
  assert.equal(made.exit, 0, made.stderr);
  const publish = new EverseedProcess(context, ["publish", "tides.bin.torrent", ...to], { cwd });
  await publish.waitFor(/Its page: /);
  new EverseedProcess(context, ["seed", "tides.bin.torrent"], { cwd, env: PORTS });
  const { exit, stdout, stderr } = await publish.finished;
  assert.equal(exit, 0, stdout + stderr);
  const page = /^Published +(\S+)$/m.exec(stdout)![1]!;
  const got = await everseed(context, ["get", page, "-o", "out"], { cwd });
  assert.equal(got.exit, 0, got.stderr);
  const bytes = await readFile(join(cwd, "out/tides.bin"));
  assert.ok(bytes.equals(await readFile(join(cwd, "tides.bin"))));
});

test("users who publish a torrent see what trackers say, by name, without escapes (CLI-1)", async (context) => {
  const cwd = temporaryFolder(context);
  const to = await startHub(context, cwd, "hub");
  await writeFile(join(cwd, "tides.bin"), randomBytes(90_000));
  const tracker = createServer((request, reply) => {
    const refuses = /%aa%aa/i.test(request.url ?? "");
    const words = fromLatin1("please use https\x1b[2J");
    reply.end(
      encode(
        refuses
          ? dictOf({ "failure reason": fromLatin1("not today") })
          : dictOf({ interval: 1800, peers: new Uint8Array(), "warning message": words }),
      ),
    );
  });
  tracker.listen(0, "127.0.0.1");
  await once(tracker, "listening");
  context.after(() => tracker.close());
  const { port } = tracker.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  const trackers = ["--tracker", `${url}/announce`, "--tracker", `http://127.0.0.2:1/refused`];
  const made = await everseed(context, ["create", "tides.bin", ...trackers], { cwd });
  assert.equal(made.exit, 0, made.stderr);
  const magnet = `magnet:?xt=urn:btih:${"a".repeat(40)}&tr=${encodeURIComponent(`${url}/announce`)}`;

  const words = new EverseedProcess(context, ["publish", "tides.bin.torrent", ...to], { cwd });
  await words.waitFor(new RegExp(`^${url} says: please use https\\\\x1b\\[2J$`, "m"));
  words.child.kill("SIGINT");
  const ended = await words.finished;
  assert.ok(!ended.stderr.includes("\x1b[2J"));
  assert.doesNotMatch(ended.stderr, /127\.0\.0\.2/, "a dead tracker is a detail");

  const verbose = new EverseedProcess(context, ["publish", magnet, ...to, "-v"], { cwd });
  await verbose.waitFor(new RegExp(`^${url} says: not today$`, "m"));
  verbose.child.kill("SIGINT");
  await verbose.finished;

  const program = new EverseedProcess(context, ["publish", "tides.bin.torrent", ...to, "--json"], {
    cwd,
  });
  await program.waitFor(
    /"event":"tracker-failure","tracker":"http:\/\/127\.0\.0\.2:1","message":"/,
  );
  await program.waitFor(/"event":"tracker-warning".*"message":"please use https\\u001b\[2J"/);
  program.child.kill("SIGINT");
  await program.finished;
});

test("seed says how to list a torrent that the hub's tracker does not know, and that command lists it", async (context) => {
  const cwd = temporaryFolder(context);
  const [, hub = "", ...token] = await startHub(context, cwd, "hub");
  await writeFile(join(cwd, "tides.bin"), randomBytes(90_000));
  const words = ["seed", "tides.bin", "--tracker", `${hub}/announce`, "--listen", "127.0.0.1:0"];
  const seed = new EverseedProcess(context, words, { cwd });
  const [, command = ""] = await seed.waitFor(
    /not registered here.*\n.*: everseed (publish PATH --to \S+ --token-file FILE) uploads it/,
  );
  await seed.waitFor(/everseed publish --in-place PATH --data DIR/);
  const told = command.replace("PATH", "tides.bin").replace("FILE", token[1]!).split(" ");
  const published = await everseed(context, [...told, "--json"], { cwd });
  assert.equal(published.exit, 0, published.stderr);
  const listed = await fetch(`${hub}/api/v1/torrents`);
  assert.match(await listed.text(), /"name":"tides\.bin"/);
});
