import assert from "node:assert/strict";
import { test } from "node:test";
import { Deadlines, SOONEST_MAX } from "./deadlines.ts";

/** Deadlines of a torrent of which we have these pieces. */
function world(...had: number[]) {
  const have = new Set(had);
  const deadlines = new Deadlines((piece) => have.has(piece));
  const listed = (): number[] => Array.from(deadlines.pieces.subarray(0, deadlines.count));
  return { have, deadlines, listed };
}

test("one reader's pieces are listed in order, without those that we have", () => {
  const { deadlines, listed, have } = world(12, 14);
  assert.ok(deadlines.isEmpty);
  deadlines.set(0, { first: 10, end: 17, dueMs: 1_000, msPerPiece: 100 }, 0);
  assert.deepEqual(listed(), [10, 11, 13, 15, 16]);
  have.add(10);
  have.delete(14);
  deadlines.handleChange();
  assert.deepEqual(listed(), [11, 13, 14, 15, 16]);
  deadlines.set(0, { first: 15, end: 17, dueMs: 1_500, msPerPiece: 100 }, 0);
  assert.deepEqual(listed(), [15, 16]);
  deadlines.clear(0);
  assert.deepEqual(listed(), []);
  assert.ok(deadlines.isEmpty);
});

test("several readers: the piece that is needed first comes first", () => {
  const { deadlines, listed } = world();
  deadlines.set(0, { first: 0, end: 4, dueMs: 1_000, msPerPiece: 100 }, 0);
  deadlines.set(1, { first: 50, end: 54, dueMs: 1_150, msPerPiece: 10 }, 0);
  assert.deepEqual(listed(), [0, 1, 50, 51, 52, 53, 2, 3]);
});

test("readers that are all too late get their pieces in turn, however late each is", () => {
  const { deadlines, listed } = world();
  deadlines.set(0, { first: 0, end: 3, dueMs: 0, msPerPiece: 1 }, 0);
  deadlines.set(1, { first: 50, end: 53, dueMs: 9_000, msPerPiece: 1 }, 10_000);
  assert.deepEqual(listed(), [0, 50, 1, 51, 2, 52]);
});

test("a piece that two readers need is listed once, at the earlier deadline", () => {
  const { deadlines, listed } = world();
  deadlines.set(0, { first: 0, end: 4, dueMs: 2_000, msPerPiece: 10 }, 0);
  deadlines.set(1, { first: 2, end: 6, dueMs: 1_000, msPerPiece: 10 }, 0);
  assert.deepEqual(listed(), [2, 3, 4, 5, 0, 1]);
  assert.equal(deadlines.dueMs(3), 1_010);
  assert.equal(deadlines.dueMs(1), 2_010);
  assert.equal(deadlines.dueMs(7), Number.POSITIVE_INFINITY);
  assert.ok(deadlines.includes(5) && !deadlines.includes(6));
});

test("the list is bounded, and every reader has a part of it", () => {
  const { deadlines, listed } = world();
  for (let reader = 0; reader < 16; reader += 1) {
    const first = reader * 1_000;
    deadlines.set(reader, { first, end: first + 64, dueMs: 0, msPerPiece: 50 }, 100_000);
  }
  assert.equal(listed().length, SOONEST_MAX);
  for (let reader = 0; reader < 16; reader += 1) {
    const own = listed().filter((piece) => Math.floor(piece / 1_000) === reader);
    assert.deepEqual(
      own,
      [0, 1, 2, 3].map((piece) => reader * 1_000 + piece),
    );
  }
});
