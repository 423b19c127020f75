import assert from "node:assert/strict";
import { test } from "node:test";
import { Bitfield } from "../../base/bitfield.ts";
import { Geometry } from "../../base/geometry.ts";
import { WantedPieces } from "./wanted-pieces.ts";

const PIECE = 16 * 1024;

/** Two files of eight pieces each, none of whose hashes is known; counts the questions. */
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

test("what lacks its hash is counted, not looked for: no piece is asked about when one becomes known", () => {
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

test("hashes of pieces that nobody wants are not waited for", () => {
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
