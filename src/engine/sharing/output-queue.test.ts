import assert from "node:assert/strict";
import { test } from "node:test";
import { OutputQueue } from "./output-queue.ts";

test("outputs come in the order in which they were pushed, also when more come meanwhile", () => {
  const queue = new OutputQueue<{ readonly n: number }>();
  assert.equal(queue.next(), undefined);
  queue.push({ n: 1 });
  queue.push({ n: 2 });
  assert.equal(queue.next()?.n, 1);
  queue.push({ n: 3 });
  assert.equal(queue.next()?.n, 2);
  assert.equal(queue.next()?.n, 3);
  assert.equal(queue.next(), undefined);
  queue.push({ n: 4 });
  assert.equal(queue.next()?.n, 4);
  assert.equal(queue.next(), undefined);
});
