import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { transferPath, TRANSFERS_PATH } from "../../src/api/paths.ts";
import { HUB_DATABASE } from "../../src/commands/hub-folder.ts";
import { assembleTorrent } from "../../src/metainfo/assemble-torrent.ts";
import { makeSimTorrent } from "../../src/sim/sim-torrent.ts";
import { seededRandom } from "../../src/sim/seeded-random.ts";
import { everseed, EverseedProcess, type Finished } from "../cli/everseed-process.ts";
import { temporaryFolder } from "../fixtures/temporary-folder.ts";
import { startNode, untilState } from "./transfers-node.ts";

// What a machine may do to a node: a damaged database, no descriptors, a full disk below the log, a read-only state.

function someTorrent(): { readonly file: Uint8Array; readonly bytes: Uint8Array } {
  const made = makeSimTorrent({
    random: seededRandom(6),
    name: "talk.bin",
    size: 200_000,
    pieceLength: 32_768,
    kind: "v1",
  });
  const { infoBytes } = made.metainfo.info;
  return {
    file: assembleTorrent({ infoBytes, pieceLayers: new Map(), trackers: [] }),
    bytes: made.bytes,
  };
}

test("STO-3 a database cut at each tenth: the node says so, changes nothing, and goes on with the whole one", async (t) => {
  const folder = temporaryFolder(t, "everseed-cut-");
  const { file, bytes } = someTorrent();
  mkdirSync(join(folder, "content"));
  writeFileSync(join(folder, "content/talk.bin"), bytes);
  const node = await startNode(t, folder);
  const query = `?folder=${encodeURIComponent(join(folder, "content"))}`;
  const { id } = await node.send("POST", `${TRANSFERS_PATH}/torrent${query}`, file);
  await untilState(node, id, "seeding");
  await node.stop();
  const path = join(folder, "state", HUB_DATABASE);
  const whole = readFileSync(path);
  for (const rest of [`${path}-wal`, `${path}-shm`]) assert.ok(!existsSync(rest), rest);
  for (let tenth = 0; tenth < 10; tenth += 1) {
    const cut = whole.subarray(0, Math.floor((whole.length * tenth) / 10));
    writeFileSync(path, cut);
    await assert.rejects(startNode(t, folder), (error: { code: string; hint: string }) => {
      assert.equal(error.code, "corrupt", `${tenth} tenths: ${error.code}`);
      assert.match(error.hint, /put a backup in its place/);
      return true;
    });
    assert.ok(readFileSync(path).equals(cut), `${tenth} tenths: it was changed`);
    for (const rest of [`${path}-wal`, `${path}-shm`]) rmSync(rest, { force: true });
  }
  writeFileSync(path, whole);
  const again = await startNode(t, folder);
  assert.equal((await again.send("GET", transferPath(id))).percent, 100);
  assert.ok(readFileSync(join(folder, "content/talk.bin")).equals(Buffer.from(bytes)));
});

/** A node of its own process, whose owner talks to it. */
function nodeBy(t: Parameters<typeof everseed>[0], home: string) {
  const env = { EVERSEED_HOME: home, EVERSEED_ENGINE_HOST: "127.0.0.1", EVERSEED_ENGINE_PORT: "0" };
  const run = (...args: readonly string[]): Promise<Finished> => everseed(t, args, { env });
  const start = async (by?: string, ...args: readonly string[]) => {
    const words = ["daemon", "start", "--foreground", "--json", ...args];
    const node = new EverseedProcess(t, words, { env, ...(by !== undefined && { by }) });
    const [, port] = await node.waitFor(/"event":"ready".*"peerPort":(\d+)/);
    return { node, port: Number(port) };
  };
  return { run, start };
}

test("STO-7 with 64 descriptors a crowd of strangers does not keep the owner from the node", async (t) => {
  const home = temporaryFolder(t, "everseed-few-");
  const by = join(home, "few");
  writeFileSync(by, '#!/bin/sh\nulimit -n 64 || exit 99\nexec "$@"\n', { mode: 0o700 });
  const { run, start } = nodeBy(t, home);
  const { node, port } = await start(by);
  const crowd: Socket[] = [];
  t.after(() => crowd.forEach((socket) => socket.destroy()));
  for (let count = 0; count < 150; count += 1) {
    const socket = connect(port, "127.0.0.1").on("error", () => undefined);
    crowd.push(socket);
    await once(socket, "connect");
  }
  const { file, bytes } = someTorrent();
  writeFileSync(join(home, "talk.bin"), bytes);
  writeFileSync(join(home, "talk.torrent"), file);
  const added = await run("add", join(home, "talk.torrent"), "-o", home);
  assert.equal(added.exit, 0, added.stderr);
  let listed = "";
  for (let tries = 0; tries < 20 && !/ 100 % /.test(listed); tries += 1) {
    listed = (await run("ls")).stdout;
  }
  assert.match(listed, /talk\.bin +100 % .* seeding/);
  assert.equal((await run("daemon", "stop")).exit, 0);
  assert.equal((await node.finished).exit, 0);
  assert.match(node.said, /Only 64 files and connections may be open/);
});

test("a full disk below the log: the node goes on, and ends as it should", async (t) => {
  const home = temporaryFolder(t, "everseed-full-");
  const { run, start } = nodeBy(t, home);
  const { node } = await start(undefined, "--log-file", "/dev/full");
  assert.equal((await run("daemon", "status")).exit, 0);
  assert.equal((await run("daemon", "stop")).exit, 0);
  assert.equal((await node.finished).exit, 0);
});

test(
  "STO-5 a state that is read-only: the node says so, and what to do",
  { skip: process.getuid?.() === 0 ? false : "mounting needs root" },
  async (t) => {
    const home = temporaryFolder(t, "everseed-read-only-");
    const state = join(home, "state");
    mkdirSync(state, { mode: 0o700 });
    const mounted = spawnSync("mount", [
      "-t",
      "tmpfs",
      "-o",
      "ro,mode=0700",
      "everseed-test",
      state,
    ]);
    if (mounted.status !== 0) {
      t.skip("this root may not mount");
      return;
    }
    t.after(() => spawnSync("umount", [state]));
    const { run } = nodeBy(t, home);
    const { exit, stderr } = await run("daemon", "start", "--foreground");
    assert.equal(exit, 8, stderr);
    assert.match(stderr, /^everseed: Cannot write to .*state.*\. The disk is read-only\.$/m);
    assert.match(stderr, /^ {2}Try: mount it writable, or choose a folder on another disk\.$/m);
  },
);
