import assert from "node:assert/strict";
import { test } from "node:test";
import { OutputQueue } from "./output-queue.ts";

test("outputs are taken in the order in which they were pushed, even when more arrive meanwhile", () => {
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
