import assert from "node:assert/strict";
import { test } from "node:test";
import { type BlockRequest, UploadQueue } from "./upload-queue.ts";

function queueOf(capacity: number, pieces: readonly number[]): UploadQueue {
  const queue = new UploadQueue(capacity);
  for (const piece of pieces) queue.push(piece, 0, 16_384);
  return queue;
}

function drain(queue: UploadQueue): number[] {
  const pieces: number[] = [];
  for (let next = queue.shift(); next; next = queue.shift()) pieces.push(next.piece);
  return pieces;
}

test("WIR-6: a full queue keeps no more", () => {
  const queue = queueOf(2, [1, 2]);
  assert.equal(queue.push(3, 0, 16_384), false);
  assert.equal(queue.count, 2);
  assert.deepEqual(drain(queue), [1, 2]);
  assert.equal(queue.shift(), undefined);
  assert.equal(queue.peek(), undefined);
});

const absent: readonly [string, BlockRequest][] = [
  ["another piece", { piece: 9, begin: 0, length: 16_384 }],
  ["another begin", { piece: 1, begin: 16_384, length: 16_384 }],
  ["another length", { piece: 1, begin: 0, length: 16_383 }],
  ["numbers past 2^31", { piece: 2 ** 32 - 1, begin: 2 ** 32 - 1, length: 2 ** 32 - 1 }],
];
for (const [name, { piece, begin, length }] of absent) {
  test(`a cancel of ${name} removes nothing`, () => {
    const queue = queueOf(4, [1, 2]);
    assert.equal(queue.remove(piece, begin, length), false);
    assert.equal(queue.count, 2);
  });
}

test("first come, first served, around the end of the ring and with gaps", () => {
  const queue = queueOf(4, [1, 2, 3]);
  assert.equal(queue.shift()?.piece, 1);
  assert.equal(queue.shift()?.piece, 2);
  for (const piece of [4, 5, 6]) assert.equal(queue.push(piece, 7, 8), true);
  assert.equal(queue.remove(5, 7, 8), true);
  assert.equal(queue.remove(5, 7, 8), false);
  assert.deepEqual(queue.peek(), { piece: 3, begin: 0, length: 16_384 });
  queue.push(7, 0, 1);
  assert.deepEqual(drain(queue), [3, 4, 6, 7]);
});

test("dropping some requests keeps the others in order", () => {
  const queue = queueOf(8, [1, 2, 1, 3, 1]);
  queue.removeWhere(({ piece }) => piece === 1);
  assert.deepEqual(drain(queue), [2, 3]);
});
