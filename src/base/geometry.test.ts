import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { InvariantError } from "./errors.ts";
import { BLOCK_BYTES, Geometry, type FileExtent } from "./geometry.ts";

const PIECE = 32_768;

/** Files one after another; a negative length is padding. */
function packed(...lengths: number[]): Geometry {
  let offset = 0;
  const files = lengths.map((length): FileExtent => {
    const extent = { offset, length: Math.abs(length), pad: length < 0 };
    offset += extent.length;
    return extent;
  });
  return new Geometry({ pieceLength: PIECE, files, aligned: false });
}

/** Files on piece borders, as in a v2-only torrent. */
function aligned(...lengths: number[]): Geometry {
  let offset = 0;
  const files = lengths.map((length): FileExtent => {
    offset = Math.ceil(offset / PIECE) * PIECE;
    const extent = { offset, length, pad: false };
    offset += length;
    return extent;
  });
  return new Geometry({ pieceLength: PIECE, files, aligned: true });
}

test("a torrent of only empty files has no pieces", () => {
  for (const geometry of [packed(), packed(0), packed(0, 0), aligned(0, 0)]) {
    assert.equal(geometry.pieceCount, 0);
    assert.equal(geometry.spaceLength, 0);
    assert.equal(geometry.dataLength, 0);
    assert.deepEqual(geometry.spans(0, 0), []);
  }
});

test("v1: pieces cross file borders, the last one is short", () => {
  const geometry = packed(10, 40_000, 0, 5);
  assert.equal(geometry.pieceCount, 2);
  assert.equal(geometry.spaceLength, 40_015);
  assert.equal(geometry.dataLength, 40_015);
  assert.deepEqual([geometry.pieceSize(0), geometry.pieceSize(1)], [PIECE, 40_015 - PIECE]);
  assert.deepEqual([geometry.blockCount(0), geometry.blockCount(1)], [2, 1]);
  assert.deepEqual([geometry.blockSize(0, 1), geometry.blockSize(1, 0)], [BLOCK_BYTES, 7247]);
  assert.deepEqual(geometry.spans(0, 20), [
    { file: 0, offset: 0, length: 10 },
    { file: 1, offset: 0, length: 10 },
  ]);
  assert.deepEqual(geometry.spans(40_005, 10), [
    { file: 1, offset: 39_995, length: 5 },
    { file: 3, offset: 0, length: 5 },
  ]);
  assert.deepEqual(
    [0, 1, 2, 3].map((file) => geometry.filePieces(file)),
    [
      { first: 0, end: 1 },
      { first: 0, end: 2 },
      { first: 1, end: 1 },
      { first: 1, end: 2 },
    ],
  );
  assert.throws(() => geometry.filePieces(4), InvariantError);
});

test("hybrid: padding is hashed and never requested", () => {
  const geometry = packed(40_000, -25_536, 1000, -31_768);
  assert.equal(geometry.pieceCount, 3);
  assert.equal(geometry.dataLength, 41_000);
  assert.deepEqual(
    [0, 1, 2].map((piece) => geometry.pieceSize(piece)),
    [PIECE, PIECE, PIECE],
  );
  assert.deepEqual(
    [0, 1, 2].map((piece) => geometry.requestSize(piece)),
    [PIECE, 7232, 1000],
  );
  assert.deepEqual(
    [0, 1, 2].map((piece) => geometry.blockCount(piece)),
    [2, 1, 1],
  );
  assert.deepEqual(geometry.spans(PIECE, PIECE), [
    { file: 0, offset: PIECE, length: 7232 },
    { file: 1, offset: 0, length: 25_536 },
  ]);
});

test("padding between files of one piece is requested, padding at its end is not", () => {
  const geometry = packed(100, -50, 100, -10, 0, -10);
  assert.equal(geometry.requestSize(0), 250);
  assert.equal(packed(-100).requestSize(0), 0);
  assert.equal(packed(0, -100).blockCount(0), 0);
  assert.equal(packed(10, -3 * PIECE).requestSize(1), 0);
});

test("v2: each file begins a piece, and the gaps belong to no file", () => {
  const geometry = aligned(40_000, 0, 1000, PIECE);
  assert.equal(geometry.pieceCount, 4);
  assert.equal(geometry.dataLength, 41_000 + PIECE);
  assert.deepEqual(
    [0, 1, 2, 3].map((piece) => geometry.pieceSize(piece)),
    [PIECE, 7232, 1000, PIECE],
  );
  assert.deepEqual(
    [0, 1, 2, 3].map((piece) => geometry.requestSize(piece)),
    [PIECE, 7232, 1000, PIECE],
  );
  assert.deepEqual(geometry.spans(PIECE, PIECE), [{ file: 0, offset: PIECE, length: 7232 }]);
  assert.deepEqual(geometry.filePieces(2), { first: 2, end: 3 });
});

test("the file at an offset is never an empty one, unless all are", () => {
  const geometry = packed(0, 5, 0, 0, 7, 0);
  assert.deepEqual(
    [0, 4, 5, 11].map((offset) => geometry.fileAt(offset)),
    [1, 1, 4, 4],
  );
});

test("beyond 2^32 the arithmetic stays exact", () => {
  const large = 2 ** 45;
  const geometry = new Geometry({
    pieceLength: 2 ** 24,
    files: [
      { offset: 0, length: large, pad: false },
      { offset: large, length: 3, pad: false },
    ],
    aligned: false,
  });
  assert.equal(geometry.pieceCount, 2 ** 21 + 1);
  assert.equal(geometry.pieceSize(2 ** 21), 3);
  assert.deepEqual(geometry.spans(large - 1, 2), [
    { file: 0, offset: large - 1, length: 1 },
    { file: 1, offset: 0, length: 1 },
  ]);
});

test("the pieces cover the space, their spans cover their bytes, blocks cover what is requested", () => {
  const length = fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 5 }), fc.nat(100_000));
  const lists = fc.array(fc.tuple(length, fc.boolean()), { maxLength: 12 });
  fc.assert(
    fc.property(lists, fc.boolean(), (list, isAligned) => {
      const lengths = list.map(([bytes, pad]) => (pad && !isAligned ? -bytes : bytes));
      const geometry = isAligned ? aligned(...lengths) : packed(...lengths);
      let covered = 0;
      for (let piece = 0; piece < geometry.pieceCount; piece += 1) {
        const size = geometry.pieceSize(piece);
        const request = geometry.requestSize(piece);
        assert.ok(size > 0 && size <= PIECE && request >= 0 && request <= size);
        const spans = geometry.spans(piece * PIECE, PIECE);
        const bytes = spans.reduce((sum, span) => sum + span.length, 0);
        assert.equal(bytes, size);
        covered += bytes;
        let blocks = 0;
        for (let block = 0; block < geometry.blockCount(piece); block += 1) {
          blocks += geometry.blockSize(piece, block);
        }
        assert.equal(blocks, request);
        for (const { file } of spans) {
          const { first, end } = geometry.filePieces(file);
          assert.ok(first <= piece && piece < end);
        }
      }
      assert.equal(
        covered,
        lengths.reduce((sum, bytes) => sum + Math.abs(bytes), 0),
      );
    }),
  );
});
