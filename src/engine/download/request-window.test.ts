import assert from "node:assert/strict";
import { test } from "node:test";
import { RequestWindow } from "./request-window.ts";
import { seededRandom } from "../../sim/seeded-random.ts";

const nothing = (): void => undefined;

test("WIR-16: an unrequested block is not accepted, and no block is accepted twice", () => {
  const window = new RequestWindow(4);
  const lane = window.join(nothing);
  window.add(1, 0, lane);
  assert.equal(window.take(1, 1, lane), false);
  assert.equal(window.take(2, 0, lane), false);
  assert.equal(window.take(1, 0, lane), true);
  assert.equal(window.take(1, 0, lane), false);
  assert.equal(window.count(lane), 0);
});

test("a lane that leaves takes its blocks along, and those of the others stay in order", () => {
  const window = new RequestWindow(5);
  const [one, two] = [window.join(nothing), window.join(nothing)];
  window.add(0, 0, one);
  window.take(0, 0, one);
  for (const block of [1, 2]) for (const lane of [one, two]) window.add(5, block, lane);
  window.add(5, 3, two);
  assert.deepEqual([window.count(one), window.count(two), window.room(two)], [2, 3, 0]);
  window.leave(one);
  assert.deepEqual([window.count(two), window.room(two)], [3, 2]);
  assert.equal(window.join(nothing), one, "its place is free");
  assert.equal(window.has(5, 1, one), false);
  for (const block of [2, 1, 3]) assert.equal(window.take(5, block, two), true);
});

test("one lane may take everything; while another waits, it may take only its share", () => {
  const window = new RequestWindow(10);
  let told = 0;
  const [one, two] = [window.join(nothing), window.join(() => (told += 1))];
  for (let block = 0; block < 10; block += 1) window.add(0, block, one);
  assert.equal(window.room(two), 0);
  window.wait(two);
  window.wake();
  assert.equal(told, 0, "there is no room yet");
  for (let block = 0; block < 4; block += 1) window.take(0, block, one);
  assert.deepEqual(
    [window.room(one), window.room(two)],
    [0, 4],
    "a slot that becomes free is for the other",
  );
  window.wake();
  assert.equal(told, 1);
  for (let block = 0; block < 4; block += 1) window.add(0, block, two);
  assert.equal(window.room(one), 0, "it is full");
  window.take(0, 4, one);
  assert.equal(window.room(one), 1, "no lane waits any more");
});

test("agrees with plain lists over 20,000 random steps of three lanes", () => {
  const random = seededRandom(3);
  const window = new RequestWindow(16);
  const lists: string[][] = [[], [], []];
  for (const [lane] of lists.entries()) assert.equal(window.join(nothing), lane);
  for (let step = 0; step < 20_000; step += 1) {
    const lane = random.below(3);
    const list = lists[lane]!;
    const [piece, block] = [random.below(4), random.below(8)];
    const key = `${piece}/${block}`;
    if (random.below(500) === 0) {
      window.drain(lane);
      list.length = 0;
    } else if (window.room(lane) > 0 && !list.includes(key) && random.below(2) === 0) {
      window.add(piece, block, lane);
      list.push(key);
    } else {
      if (random.below(4) === 0) window.wait(lane);
      const at = list.indexOf(key);
      assert.equal(window.has(piece, block, lane), at >= 0);
      assert.equal(window.take(piece, block, lane), at >= 0);
      if (at >= 0) list.splice(at, 1);
    }
    assert.deepEqual(
      lists.map((each) => each.length),
      [0, 1, 2].map((each) => window.count(each)),
    );
  }
});

test("the blocks of a lane can be listed, newest first", () => {
  const window = new RequestWindow(4);
  const [a, b] = [window.join(() => undefined), window.join(() => undefined)];
  for (let block = 0; block < 3; block += 1) window.add(7, block, a);
  window.take(7, 0, a);
  window.add(7, 9, b);
  window.add(7, 3, a);
  assert.deepEqual(
    Array.from(window.newestFirst(a), ({ block }) => block),
    [3, 2, 1],
  );
});
