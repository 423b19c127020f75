import assert from "node:assert/strict";
import { mkdirSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryFolder } from "../fixtures/temporary-folder.ts";
import { Bitfield } from "../../src/base/bitfield.ts";
import { buildMetainfo, planTorrent } from "../../src/metainfo/create.ts";
import { parseMetainfo } from "../../src/metainfo/parse-metainfo.ts";
import { spaceNeeded } from "../../src/commands/disk-space.ts";
import { NodeUserFiles } from "../../src/platform/node-user-files.ts";

const disk = new NodeUserFiles();
const PIECE = 65_536;
const SIZE = 1_000_000;
/** What a file system may add to a file besides its bytes. */
const SLACK = 65_536;

function torrent() {
  const files = ["a", "b"].map((name) => ({ path: [name], length: SIZE }));
  const plan = planTorrent({ name: "talks", files, kind: "v1", pieceLength: PIECE });
  const v1 = new Uint8Array(plan.geometry.pieceCount * 20);
  return parseMetainfo(buildMetainfo(plan, { v1 }).torrent).info;
}

test("STO-9: a download needs the space that its wanted files do not occupy yet", (t) => {
  const root = temporaryFolder(t, "everseed-space-");
  const info = torrent();
  const both = [true, true];
  assert.equal(spaceNeeded(disk, { info, root: join(root, "new"), wanted: both }), 2 * SIZE);
  assert.equal(spaceNeeded(disk, { info, root, wanted: [false, true] }), SIZE);

  mkdirSync(join(root, "talks"));
  writeFileSync(join(root, "talks/a"), "");
  truncateSync(join(root, "talks/a"), SIZE);
  assert.equal(
    spaceNeeded(disk, { info, root, wanted: both }),
    2 * SIZE,
    "a hole occupies nothing",
  );

  writeFileSync(join(root, "talks/a"), Buffer.alloc(SIZE / 2, 1));
  truncateSync(join(root, "talks/a"), SIZE);
  const half = spaceNeeded(disk, { info, root, wanted: [true, false] });
  assert.ok(Math.abs(half - SIZE / 2) <= SLACK, `${half} for a half`);

  writeFileSync(join(root, "talks/b"), Buffer.alloc(SIZE, 1));
  assert.equal(spaceNeeded(disk, { info, root, wanted: [false, true] }), 0);
});

test("STO-9: pieces that are known to exist need no space, however small the disk stored them", (t) => {
  const root = temporaryFolder(t, "everseed-space-");
  const info = torrent();
  const have = new Bitfield(info.geometry.pieceCount);
  const firstOfB = info.geometry.filePieces(1).first;
  for (let piece = 0; piece < firstOfB; piece += 1) have.add(piece);
  const wanted = [true, true];
  assert.equal(spaceNeeded(disk, { info, root, wanted, have }), 2 * SIZE, "files that vanished");

  mkdirSync(join(root, "talks"));
  for (const name of ["a", "b"]) {
    writeFileSync(join(root, "talks", name), "");
    truncateSync(join(root, "talks", name), SIZE);
  }
  // The piece that both share is missing.
  const tail = SIZE - firstOfB * PIECE;
  assert.equal(spaceNeeded(disk, { info, root, wanted, have }), SIZE + tail);
});
