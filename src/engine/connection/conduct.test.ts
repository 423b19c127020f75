import assert from "node:assert/strict";
import { test } from "node:test";
import { Conduct } from "./conduct.ts";

/** @returns How often it was tolerated. */
function patience(act: () => string | undefined): number {
  for (let times = 0; times < 10_000; times += 1) if (act() !== undefined) return times;
  return Number.POSITIVE_INFINITY;
}

test("WIR-8: unrequested blocks: 64, and one more for each wanted block in between", () => {
  const conduct = new Conduct();
  for (let i = 0; i < 60; i += 1) conduct.handleUnrequestedBlock();
  for (let i = 0; i < 10; i += 1) conduct.handleWantedBlock();
  assert.equal(
    patience(() => conduct.handleUnrequestedBlock()),
    14,
  );
});

test("WIR-8: blocks that crossed a choke or a cancel do not count, once each", () => {
  const conduct = new Conduct();
  conduct.excuseBlocks(250);
  conduct.excuseBlocks(1);
  assert.equal(
    patience(() => conduct.handleUnrequestedBlock()),
    251 + 64,
  );
});

test("WIR-5: requests that cannot be served: 300", () => {
  const conduct = new Conduct();
  assert.equal(
    patience(() => conduct.handleBadRequest()),
    300,
  );
});

test("WIR-7: control messages: 1000 in ten seconds, and then as many again", () => {
  const conduct = new Conduct();
  assert.equal(
    patience(() => conduct.handleControl(0)),
    1000,
  );
  let now = 10_001;
  assert.equal(
    patience(() => conduct.handleControl(now)),
    1000,
  );
  now += 10_001;
  const slow = (): string | undefined => conduct.handleControl((now += 100));
  assert.equal(patience(slow), Number.POSITIVE_INFINITY);
});
