import assert from "node:assert/strict";
import { test } from "node:test";
import { Geometry } from "../../base/geometry.ts";
import { pieceLevels } from "./piece-levels.ts";

const PIECE = 16 * 1024;
const ALL = (): boolean => true;

/** Files of these lengths in pieces, one after the other. */
function geometryOf(...lengths: number[]): Geometry {
  let offset = 0;
  const files = lengths.map((pieces) => {
    const file = { offset, length: pieces * PIECE, pad: false };
    offset += file.length;
    return file;
  });
  return new Geometry({ pieceLength: PIECE, files, aligned: false });
}

test("without a choice there are no levels; a piece of two files has the higher priority", () => {
  const geometry = geometryOf(1.5, 2, 1.5);
  assert.equal(pieceLevels(geometry, {}, ALL), undefined);
  assert.equal(pieceLevels(geometry, { sequential: true, files: {} }, ALL), undefined);
  const levels = pieceLevels(geometry, { files: { 0: "low", 2: "high" } }, ALL)!;
  assert.deepEqual([...levels], [2, 4, 4, 6, 6].slice(0, geometry.pieceCount));
});

test("a high priority of a file that is left out raises nothing", () => {
  const geometry = geometryOf(1.5, 2.5);
  const levels = pieceLevels(geometry, { files: { 1: "high" } }, (index) => index === 0)!;
  assert.deepEqual([...levels], [4, 4, 0, 0]);
});

test("the first and the last piece of each file are one level above the rest; of a large file a hundredth", () => {
  const levels = pieceLevels(
    geometryOf(5, 500),
    { firstAndLast: true, files: { 0: "high" } },
    ALL,
  )!;
  assert.deepEqual([...levels.subarray(0, 5)], [7, 6, 6, 6, 7]);
  const film = [...levels.subarray(5)];
  assert.deepEqual(film.slice(0, 6), [5, 5, 5, 5, 5, 4]);
  assert.deepEqual(film.slice(-6), [4, 5, 5, 5, 5, 5]);
});
