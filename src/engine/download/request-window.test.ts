import assert from "node:assert/strict";
import { test } from "node:test";
import { RequestWindow } from "./request-window.ts";
import { seededRandom } from "../../sim/seeded-random.ts";

test("WIR-16: what was not asked is not taken, and nothing is taken twice", () => {
  const window = new RequestWindow(4);
  window.add(1, 0);
  assert.equal(window.take(1, 1), false);
  assert.equal(window.take(2, 0), false);
  assert.equal(window.take(1, 0), true);
  assert.equal(window.take(1, 0), false);
  assert.equal(window.count, 0);
});

test("drain tells the blocks oldest first and leaves nothing", () => {
  const window = new RequestWindow(3);
  window.add(0, 0);
  window.take(0, 0);
  for (const block of [1, 2, 3]) window.add(5, block);
  assert.equal(window.room, 0);
  const blocks: number[] = [];
  window.drain((_piece, block) => blocks.push(block));
  assert.deepEqual(blocks, [1, 2, 3]);
  assert.equal(window.room, 3);
  assert.equal(window.has(5, 1), false);
});

test("agrees with a plain list over 10,000 random steps", () => {
  const random = seededRandom(3);
  const window = new RequestWindow(16);
  const list: string[] = [];
  for (let step = 0; step < 10_000; step += 1) {
    const [piece, block] = [random.below(4), random.below(8)];
    const key = `${piece}/${block}`;
    if (window.room > 0 && !list.includes(key) && random.below(2) === 0) {
      window.add(piece, block);
      list.push(key);
    } else {
      const at = list.indexOf(key);
      assert.equal(window.has(piece, block), at >= 0);
      assert.equal(window.take(piece, block), at >= 0);
      if (at >= 0) list.splice(at, 1);
    }
    assert.equal(window.count, list.length);
  }
});
