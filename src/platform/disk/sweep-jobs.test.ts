import assert from "node:assert/strict";
import {
  copyFileSync,
  renameSync,
  statSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { ContentIo } from "./content-io.ts";
import { BLOCK, makeFixture, temporaryFolder } from "./disk-fixture.ts";
import { DiskRefusal } from "./disk-refusal.ts";
import { DescriptorBudget } from "./open-files.ts";
import { PieceJobs } from "./piece-jobs.ts";
import { shareLayout } from "./shared-layout.ts";
import { checkPieces, measurePieces } from "./sweep-jobs.ts";

/** Pieces as large as a part of a sweep, so that each turn handles one piece. */
const PIECE = BLOCK * 256;

test("files that change while they are hashed are detected, with their path (MET-24)", (t) => {
  const cases: [name: string, code: string, change: (path: string) => void][] = [
    ["written to", "changed", (path) => writeFileSync(path, "x", { flag: "r+" })],
    ["grown", "changed", (path) => writeFileSync(path, "x", { flag: "a" })],
    ["cut short", "changed", (path) => truncateSync(path, PIECE)],
    [
      "replaced by another of the same size and time",
      "changed",
      (path) => {
        const { atime, mtime } = statSync(path);
        copyFileSync(path, `${path}.new`);
        renameSync(`${path}.new`, path);
        utimesSync(path, atime, mtime);
      },
    ],
    ["removed", "ENOENT", (path) => unlinkSync(path)],
  ];
  for (const [name, code, change] of cases) {
    const root = temporaryFolder(t);
    const path = join(root, "f");
    writeFileSync(path, Buffer.alloc(PIECE * 3));
    // Long ago, so that a write within one tick of the file system's clock still shows.
    utimesSync(path, 1_000_000, 1_000_000);
    const { layout } = makeFixture(root, "v1", PIECE, [{ path: "f", length: PIECE * 3 }]);
    const io = new ContentIo(shareLayout(layout), new DescriptorBudget(10));
    const control = { cursor: new Int32Array(2) };
    const v1 = new Uint8Array(60);
    const parts = measurePieces(
      io,
      new PieceJobs(),
      { control, v1, v2: undefined },
      () => undefined,
    );
    assert.equal(parts.next().done, false);
    change(path);
    assert.throws(
      () => {
        while (parts.next().done !== true);
      },
      (error: unknown) => {
        assert.ok(error instanceof DiskRefusal, name);
        assert.deepEqual([error.failure.code, error.failure.path], [code, path], name);
        return true;
      },
    );
    io.files.end();
  }
});

test("a sweep stops between two parts on request", (t) => {
  const root = temporaryFolder(t);
  const { layout } = makeFixture(root, "v1", PIECE, [{ path: "f", length: PIECE * 3 }]);
  const io = new ContentIo(shareLayout(layout), new DescriptorBudget(10));
  const control = { cursor: new Int32Array(2) };
  const judged: number[][] = [];
  const pieces = Uint8Array.of(0b1110_0000);
  const parts = checkPieces(io, new PieceJobs(), { control, pieces }, (found) => {
    judged.push([...found]);
  });
  parts.next();
  control.cursor[1] = 1;
  assert.equal(parts.next().done, true);
  assert.deepEqual(judged, [[0, 0]]);
});
