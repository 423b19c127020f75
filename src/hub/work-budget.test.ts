import assert from "node:assert/strict";
import { test } from "node:test";
import type { Work } from "../base/work.ts";
import { Turns } from "../publish/turns.ts";
import { WorkBudget } from "./work-budget.ts";

function world() {
  let now = 0;
  const clock = {
    nowMs: () => now,
    wallMs: () => now,
    startTimer: (_delayMs: number, fire: () => void) => {
      const immediate = setImmediate(fire);
      return { cancel: () => clearImmediate(immediate) };
    },
  };
  /** Work that holds the thread for so long. */
  function* busy(ms: number): Work<void> {
    for (let spent = 0; spent < ms; spent += 1) {
      now += 1;
      yield;
    }
  }
  const budget = new WorkBudget(clock, new Turns(clock));
  return { budget, busy, pass: (ms: number) => void (now += ms) };
}

test("an address that spent its work is told how long to wait, and others are not (HUB-27)", async () => {
  const { budget, busy, pass } = world();
  const ask = (address: string, isKnown = false) => budget.open(address, isKnown);
  assert.equal(ask("192.0.2.1").refusal(), undefined);
  await ask("192.0.2.1").run(busy(6_000));
  const refused = ask("192.0.2.1").refusal();
  assert.equal(refused?.status, 429);
  assert.ok(refused.retryAfter! >= 1 && refused.retryAfter! <= 30, `${refused.retryAfter}`);
  assert.equal(ask("192.0.2.2").refusal(), undefined);
  // Somebody who signs in from there has an allowance of people who are known.
  assert.equal(ask("192.0.2.1", true).refusal(), undefined);
  pass(refused.retryAfter! * 1_000);
  assert.equal(ask("192.0.2.1").refusal(), undefined);
});

test("requests that do nothing cost something, too, and all of an IPv6 network are one", () => {
  const { budget } = world();
  let asked = 0;
  while (budget.open(`2001:db8::${(asked % 60_000).toString(16)}`, false).refusal() === undefined) {
    asked += 1;
    assert.ok(asked < 100_000, "it ends");
  }
  assert.ok(asked >= 1_000);
  assert.equal(budget.size, 1);
  assert.equal(budget.open("2001:db8:0:1::1", false).refusal(), undefined);
});

test("more addresses than can be remembered are forgotten, the rested and then the oldest first", () => {
  const { budget } = world();
  for (let address = 0; address < 25_000; address += 1) {
    budget.open(`10.${address >> 16}.${(address >> 8) & 255}.${address & 255}`, false).refusal();
  }
  assert.ok(budget.size <= 20_000, `${budget.size}`);
});
