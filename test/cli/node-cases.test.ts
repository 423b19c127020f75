import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { assembleTorrent } from "../../src/metainfo/assemble-torrent.ts";
import { makeSimTorrent } from "../../src/sim/sim-torrent.ts";
import { seededRandom } from "../../src/sim/seeded-random.ts";
import { everseed, EverseedProcess, LAUNCHER, temporaryFolder } from "./everseed-process.ts";

// What people, torrents and shells may do to the commands about a node. One node for all: it must go on after each.

test("CLI-1 CLI-4 CLI-5 CLI-6 the commands about a node: steering names, dashes, wrong ids, closed pipes, Ctrl-C", async (context) => {
  const home = temporaryFolder(context);
  const env = { EVERSEED_HOME: home, EVERSEED_ENGINE_HOST: "127.0.0.1", EVERSEED_ENGINE_PORT: "0" };
  const run = (...args: readonly string[]) => everseed(context, args, { env, cwd: home });
  const started = await run("daemon", "start");
  assert.equal(started.exit, 0, started.stderr);
  context.after(() => run("daemon", "stop"));

  // A name that would clear the screen; the .torrent file's own begins with a dash.
  const { infoBytes } = makeSimTorrent({
    random: seededRandom(8),
    name: "red\u001b[2J\u202etxt",
    size: 50_000,
    pieceLength: 16_384,
    kind: "v1",
  }).metainfo.info;
  const file = assembleTorrent({ infoBytes, pieceLayers: new Map(), trackers: [] });
  writeFileSync(join(home, "-rf.torrent"), file);
  const added = await run("add", "--stopped", "--label", "-x", "--", "-rf.torrent");
  assert.equal(added.exit, 0, added.stderr);
  const [, id = ""] = /^Added ([0-9a-f]{8}) /.exec(added.stdout) ?? [];
  assert.match(id, /./, added.stdout);
  for (const words of [
    ["ls"],
    ["ls", "--json"],
    ["show", id],
    ["files", id],
    ["peers", id],
    ["trackers", id],
    ["completion", "words", "--", "start", ""],
  ]) {
    const { exit, stdout, stderr } = await run(...words);
    assert.equal(exit, 0, `${words.join(" ")}: ${stderr}`);
    assert.doesNotMatch(stdout + stderr, /[\u001b\u202e]/, words.join(" "));
  }

  // A variable of the shell that is not set: not the current folder.
  for (const words of [
    ["move", id, ""],
    ["add", "", "--stopped"],
    ["add", "x.torrent", "-o", ""],
    ["stop", ""],
    ["get", "x.torrent", "--out="],
    ["create", "x", "-o", ""],
  ]) {
    const { exit, stderr } = await run(...words);
    assert.equal(exit, 2, `${words.join(" ")}: ${stderr}`);
    assert.match(stderr, /^everseed: An empty word is no value for /);
  }

  // Ids are words of a person, not paths of the API.
  for (const wrong of ["../settings", "a?content=true", "%2e%2e", "x".repeat(5_000), " "]) {
    const { exit, stderr } = await run("stop", "--", wrong);
    assert.ok(exit === 3 || exit === 2, `${exit} for ${wrong.slice(0, 20)}: ${stderr}`);
    assert.match(stderr, /^everseed: /);
  }
  for (const words of [
    ["set", id, "--label", "x".repeat(5_000)],
    ["set", id, "--ratio", "many"],
    ["limits", "--down", "99999999999999999999G"],
    ["limits", "--downloads", "-1"],
  ]) {
    const { exit, stderr } = await run(...words);
    assert.ok(
      exit !== 0 && exit !== 1,
      `${words.slice(2).join(" ").slice(0, 20)}: ${exit} ${stderr}`,
    );
    assert.match(stderr, /^everseed: /);
    assert.doesNotMatch(stderr, /should not have/);
  }

  // A reader that leaves is noticed at the next change, and a person may have seen enough.
  const script = [`"$0" ls --watch | head -n 1`, LAUNCHER];
  const piped = spawn("sh", ["-c", ...script], { env: { ...process.env, ...env } });
  const [head] = (await once(piped.stdout, "data")) as [Buffer];
  assert.match(head.toString(), /^ID +NAME/);
  piped.stderr.once("data", (words: Buffer) => assert.fail(words.toString()));
  const ended = once(piped, "close");
  assert.equal((await run("set", id, "--label", "other")).exit, 0);
  assert.deepEqual(await ended, [0, null]);
  assert.equal((await run("set", id, "--label=-x")).exit, 0);
  const watching = new EverseedProcess(context, ["ls", "--watch"], { env });
  await watching.waitFor(/^ID +NAME/m);
  watching.child.kill("SIGINT");
  assert.equal((await watching.finished).exit, 0);

  const still = await run("ls", "--json", "--label=-x");
  assert.equal((JSON.parse(still.stdout) as { state: string }).state, "paused");
});
