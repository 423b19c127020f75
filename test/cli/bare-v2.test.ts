import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdir, readFile, rename, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { assertSameBytes } from "../fixtures/same-bytes.ts";
import { withoutLayers } from "../fixtures/bare-torrent.ts";
import { everseed, EverseedProcess, temporaryFolder } from "./everseed-process.ts";

// A v2 .torrent file without `piece layers`: only peers, or the content, provide the hashes of its pieces.

const FILES = {
  "talks/a.bin": randomBytes(700_000),
  "talks/b.bin": randomBytes(300_000),
  "talks/small.txt": randomBytes(10),
};

/** A folder with the content, and its .torrent with and without the layers. */
async function world(context: TestContext): Promise<string> {
  const folder = temporaryFolder(context);
  await mkdir(join(folder, "talks"));
  for (const [path, bytes] of Object.entries(FILES)) await writeFile(join(folder, path), bytes);
  const flags = ["--kind", "v2", "--piece-size", "16384", "-o", "whole.torrent"];
  const made = await everseed(context, ["create", "talks", ...flags], { cwd: folder });
  assert.equal(made.exit, 0, made.stderr);
  const whole = await readFile(join(folder, "whole.torrent"));
  await writeFile(join(folder, "bare.torrent"), withoutLayers(whole));
  return folder;
}

test("check judges a v2 torrent without piece layers by its roots, file by file", async (context) => {
  const folder = await world(context);
  const check = () => everseed(context, ["check", "bare.torrent", "."], { cwd: folder });
  // As users keep it: behind a link.
  await rename(join(folder, "talks/b.bin"), join(folder, "elsewhere"));
  await symlink(join(folder, "elsewhere"), join(folder, "talks/b.bin"));
  const good = await check();
  assert.equal(good.exit, 0, good.stderr + good.stdout);
  assert.match(good.stdout, /^All good: 63 pieces/m);

  const changed = Buffer.from(FILES["talks/a.bin"]);
  changed[650_000]! ^= 1;
  await writeFile(join(folder, "talks/a.bin"), changed);
  const bad = await check();
  assert.equal(bad.exit, 7, bad.stderr);
  assert.match(bad.stdout, /^43 bad .* talks\/a\.bin$/m);
  assert.match(bad.stdout, /^43 pieces of 63 bad, 20 good\.$/m);
  assert.match(bad.stdout, /\/talks\/a\.bin is not the torrent's file\. .* Only peers know/);

  const refused = await everseed(context, ["seed", "bare.torrent"], { cwd: folder });
  assert.equal(refused.exit, 7, refused.stderr);
  assert.match(refused.stderr, /\/talks\/a\.bin is not the torrent's file/);
});

test(
  "seed computes the layers from the content, and get of the bare torrent fetches them from that seed",
  { timeout: 60_000 },
  async (context) => {
    const folder = await world(context);
    const args = ["seed", "bare.torrent", "--listen", "127.0.0.1:0", "--json"];
    const seed = new EverseedProcess(context, args, { cwd: folder });
    const peer = `127.0.0.1:${await seed.port()}`;
    const flags = ["--peer", peer, "--listen", "127.0.0.1:0", "-o", "home"];
    const got = await everseed(context, ["get", "bare.torrent", ...flags], { cwd: folder });
    assert.equal(got.exit, 0, got.stderr);
    for (const [path, bytes] of Object.entries(FILES)) {
      assertSameBytes(await readFile(join(folder, "home", path)), bytes, path);
    }
  },
);

test("what an infohash or a link cannot do is explained", async (context) => {
  const folder = temporaryFolder(context);
  const infohash = "ab".repeat(20);
  for (const [source, word] of [
    [infohash, "An infohash"],
    [`magnet:?xt=urn:btih:${infohash}`, "A magnet link"],
  ] as const) {
    for (const command of [
      ["seed", source],
      ["check", source, "."],
    ]) {
      const refused = await everseed(context, command, { cwd: folder });
      assert.notEqual(refused.exit, 0);
      assert.match(refused.stderr, new RegExp(`${word} does not say which files there are`));
      assert.match(refused.stderr, /Try: give the \.torrent file/);
    }
    const shown = await everseed(context, ["show", source], { cwd: folder });
    assert.equal(shown.exit, 0);
    assert.match(shown.stdout, new RegExp(`^Infohash v1 +${infohash}$`, "m"));
    assert.match(shown.stdout + shown.stderr, /The list of files comes from peers: everseed get/);
  }
});
