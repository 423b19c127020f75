import assert from "node:assert/strict";
import { test } from "node:test";
import { DraftLocks } from "../../src/hub/draft-locks.ts";

const forever = new AbortController().signal;

test("the next request asks the previous one to end, and waits until it has", async () => {
  const locks = new DraftLocks();
  const order: string[] = [];
  const [first, second, other] = [locks.newLock("a"), locks.newLock("a"), locks.newLock("b")];
  await first.lock(forever, async () => void order.push("asked"));
  const waiting = second.lock(forever, async () => undefined).then(() => order.push("second"));
  await other.lock(forever, async () => undefined);
  for (let turn = 0; turn < 5; turn += 1) await new Promise(setImmediate);
  assert.deepEqual(order, ["asked"]);
  await first.unlock();
  await waiting;
  assert.deepEqual(order, ["asked", "second"]);
});

test("HUB-8: many waiting requests ask once each, and get their turns one after another", async () => {
  const locks = new DraftLocks();
  let inside = 0;
  let asked = 0;
  let served = 0;
  await Promise.all(
    Array.from({ length: 20 }, async () => {
      const lock = locks.newLock("a");
      await lock.lock(forever, async () => void (asked += 1));
      inside += 1;
      assert.equal(inside, 1);
      await new Promise(setImmediate);
      inside -= 1;
      served += 1;
      await lock.unlock();
    }),
  );
  assert.equal(served, 20);
  assert.ok(asked <= (20 * 19) / 2, `${asked}`);
});

test("a request that has gone away does not get the lock", async () => {
  const locks = new DraftLocks();
  const first = locks.newLock("a");
  await first.lock(forever, async () => undefined);
  const gone = new AbortController();
  const refused = assert.rejects(
    locks.newLock("a").lock(gone.signal, async () => undefined),
    { name: "RefusedError" },
  );
  gone.abort();
  await first.unlock();
  await refused;
  await locks.newLock("a").lock(forever, async () => undefined);
});
