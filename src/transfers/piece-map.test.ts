import assert from "node:assert/strict";
import { test } from "node:test";
import { Bitfield } from "../base/bitfield.ts";
import { copyCells, rarestIn } from "./piece-map.ts";

test("few pieces are a cell each; many are summed up by the rarest", () => {
  assert.deepEqual(copyCells(new Uint16Array([3, 1, 2])), [3, 1, 2]);
  const copies = new Uint16Array(100_000).fill(5);
  copies[99_999] = 1;
  copies[500] = 2;
  const cells = copyCells(copies);
  assert.equal(cells.length, 240);
  assert.deepEqual([cells[0], cells[1], cells.at(-1)], [5, 2, 1]);
  assert.deepEqual(copyCells(new Uint16Array(0)), []);
});

test("the rarest pieces are looked for among the missing ones, and told as a run", () => {
  const copies = new Uint16Array([0, 4, 2, 2, 2, 9]);
  const have = new Bitfield(6);
  have.add(0);
  assert.deepEqual(rarestIn(copies, have), { copies: 2, first: 2, last: 4 });
  have.add(3);
  assert.deepEqual(rarestIn(copies, have), { copies: 2, first: 2, last: 2 });
  assert.deepEqual(rarestIn(copies, undefined), { copies: 0, first: 0, last: 0 });
  have.fill();
  assert.deepEqual(rarestIn(copies, have), { copies: 0, first: 0, last: 0 });
  assert.equal(rarestIn(new Uint16Array(0), undefined), undefined);
});
