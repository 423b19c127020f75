import assert from "node:assert/strict";
import { test } from "node:test";
import { Bitfield } from "../../base/bitfield.ts";
import { Geometry } from "../../base/geometry.ts";
import { WantedPieces } from "./wanted-pieces.ts";

const PIECE = 16 * 1024;

/** Two files of eight pieces each, with no known hashes; counts the questions. */
function world() {
  const geometry = new Geometry({
    pieceLength: PIECE,
    files: [
      { offset: 0, length: 8 * PIECE, pad: false },
      { offset: 8 * PIECE, length: 8 * PIECE, pad: false },
    ],
    aligned: true,
  });
  const known = new Set<number>();
  const asked = { count: 0 };
  const hashes = {
    complete: false,
    known: (piece: number) => {
      asked.count += 1;
      return known.has(piece);
    },
  };
  const have = new Bitfield(geometry.pieceCount);
  return { wanted: new WantedPieces({ geometry, have, hashes }), known, asked };
}

test("pieces that lack their hash are counted, not searched: no piece is asked about when a hash becomes known", () => {
  const { wanted, known, asked } = world();
  assert.equal(wanted.lacksHashes, true);
  asked.count = 0;
  for (let piece = 0; piece < 16; piece += 1) {
    assert.equal(wanted.lacksHashes, true);
    known.add(piece);
    assert.equal(wanted.handleKnown(piece), true);
  }
  assert.equal(wanted.lacksHashes, false);
  assert.equal(asked.count, 0);
});

test("hashes of pieces that are not wanted are not waited for", () => {
  const { wanted, known } = world();
  wanted.setFiles([true, false]);
  for (let piece = 0; piece < 8; piece += 1) {
    known.add(piece);
    wanted.handleKnown(piece);
  }
  assert.equal(wanted.lacksHashes, false);
  assert.equal(wanted.handleKnown(12), false);
  assert.equal(wanted.lacksHashes, false);
  wanted.setFiles([true, true]);
  assert.equal(wanted.lacksHashes, true, "seven of the second file are not known");
});

test("a piece is wanted as long as a reader reads it, whether its file is wanted or not", () => {
  const { wanted, known } = world();
  for (let piece = 0; piece < 16; piece += 1) known.add(piece);
  wanted.setFiles([true, false]);
  const { wantedBytes } = wanted;
  assert.deepEqual(wanted.addRead(0, { first: 6, end: 10 }), [8, 9]);
  assert.deepEqual(wanted.addRead(1, { first: 9, end: 11 }), [10], "one was wanted already");
  assert.deepEqual(
    [...wanted.priorities()].flatMap((priority, piece) =>
      piece > 7 && priority > 0 ? [piece] : [],
    ),
    [8, 9, 10],
  );
  assert.deepEqual(wanted.removeRead(0), [8], "the other is still read");
  assert.deepEqual(wanted.removeRead(0), []);
  assert.deepEqual(
    [wanted.isWanted(8), wanted.isWanted(9), wanted.isWanted(7)],
    [false, true, true],
  );
  assert.equal(wanted.wantedBytes, wantedBytes, "a person wants as much as before");
  wanted.setFiles([false, false]);
  assert.equal(wanted.isWanted(9), true, "another choice of files does not end a reader");
  assert.deepEqual(wanted.removeRead(1), [9, 10]);
});

test("hashes of pieces that a reader needs count as lacking until they are known", () => {
  const { wanted, known } = world();
  for (let piece = 0; piece < 8; piece += 1) {
    known.add(piece);
    wanted.handleKnown(piece);
  }
  wanted.setFiles([true, false]);
  assert.equal(wanted.lacksHashes, false);
  wanted.addRead(0, { first: 8, end: 10 });
  assert.equal(wanted.lacksHashes, true);
  wanted.setFiles([true, false]);
  known.add(8);
  assert.equal(wanted.handleKnown(8), true);
  assert.equal(wanted.lacksHashes, true);
  wanted.removeRead(0);
  assert.equal(wanted.lacksHashes, false);
});
