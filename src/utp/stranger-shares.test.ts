import assert from "node:assert/strict";
import { test } from "node:test";
import { StrangerShares } from "./stranger-shares.ts";

test("WIR-21: one address gets 64 answers a second, and one that floods takes none from others", () => {
  const shares = new StrangerShares(7);
  let answered = 0;
  for (let n = 0; n < 20_000; n += 1) if (shares.take("66.6.6.6", 100)) answered += 1;
  assert.equal(answered, 64);
  assert.equal(shares.take("9.9.9.9", 100), true);
  assert.equal(shares.take("66.6.6.6", 1_099), false);
  assert.equal(shares.take("66.6.6.6", 1_100), true, "a second later");
});

test("WIR-21: all addresses together get 5,000 answers a second", () => {
  const shares = new StrangerShares(7);
  let answered = 0;
  for (let n = 0; n < 20_000; n += 1) {
    if (shares.take(`66.${n >> 16}.${(n >> 8) & 255}.${n & 255}`, 0)) answered += 1;
  }
  assert.equal(answered, 5000);
});

test("WIR-21: which addresses share a counter depends on a salt", () => {
  const shareWith = (salt: number): string[] => {
    const met: string[] = [];
    for (let n = 0; n < 4096 * 4; n += 1) {
      const shares = new StrangerShares(salt);
      for (let taken = 0; taken < 64; taken += 1) shares.take("66.6.6.6", 0);
      const other = `9.9.${n >> 8}.${n & 255}`;
      if (!shares.take(other, 0)) met.push(other);
      if (met.length === 2) break;
    }
    return met;
  };
  assert.notDeepEqual(shareWith(1), shareWith(2));
});
