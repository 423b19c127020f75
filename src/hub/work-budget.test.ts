import assert from "node:assert/strict";
import { test } from "node:test";
import type { Work } from "../base/work.ts";
import { Turns } from "../publish/turns.ts";
import { OverloadError } from "./problems.ts";
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
  /** Work that blocks the thread for this long. */
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
  // A signed-in user from that address has the allowance of known people.
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
  assert.equal(budget.size, 2, "the network and its site");
  assert.equal(budget.open("2001:db8:0:1::1", false).refusal(), undefined);
});

/** Starts this many tasks, and counts the refused ones by status. */
async function flood(
  { budget, busy }: ReturnType<typeof world>,
  tasks: readonly { readonly address: string; readonly isKnown?: boolean }[],
) {
  const refused = new Map<number, number>();
  const ends = tasks.map(async ({ address, isKnown = false }) => {
    try {
      await budget.open(address, isKnown).run(busy(50));
      return address;
    } catch (error) {
      assert.ok(error instanceof OverloadError);
      const { status } = error.refusal;
      refused.set(status, (refused.get(status) ?? 0) + 1);
      return undefined;
    }
  });
  const begun = budget.tasks;
  const done = (await Promise.all(ends)).filter((address) => address !== undefined);
  return { refused: Object.fromEntries(refused), begun, done };
}

test("HUB-40: one address has eight tasks under way, whatever it asks for; all others keep their own", async () => {
  const made = world();
  const { budget } = made;
  const mine = Array.from({ length: 300 }, (_, index) => ({
    address: `2001:db8::${index.toString(16)}`,
  }));
  const others = Array.from({ length: 20 }, (_, index) => ({ address: `192.0.2.${index}` }));
  const { refused, done } = await flood(made, [...mine, ...others]);
  assert.deepEqual(refused, { 429: 292 });
  assert.equal(done.filter((address) => address.startsWith("192.")).length, 20);
  assert.equal(budget.tasks, 0);
  assert.equal(budget.open("2001:db8::1", false).refusal(), undefined, "when they have ended");
});

test("HUB-40: the one task of somebody else ends before most of one address's", async () => {
  const { budget, busy } = world();
  const ended: string[] = [];
  const mine = Array.from({ length: 8 }, async () => {
    await budget.open("192.0.2.1", false).run(busy(60));
    ended.push("mine");
  });
  const other = budget.open("192.0.2.2", false).run(busy(60));
  await Promise.all([...mine, other.then(() => ended.push("other"))]);
  assert.ok(ended.indexOf("other") < 2, ended.join());
});

test("HUB-40: everybody together has a bound, and strangers leave places to those who are known", async () => {
  const made = world();
  const strangers = Array.from({ length: 400 }, (_, index) => ({
    address: `10.0.${index >> 8}.${index & 255}`,
  }));
  const known = Array.from({ length: 100 }, () => ({ address: "127.0.0.1", isKnown: true }));
  const { refused, begun, done } = await flood(made, [...strangers, ...known]);
  assert.equal(begun, 256);
  assert.equal(done.filter((address) => address === "127.0.0.1").length, 64);
  assert.deepEqual(refused, { 503: 400 - 192, 429: 36 });
});

test("HUB-40: a task counts before it has run, also for admission", async () => {
  const { budget, busy } = world();
  const begun = Array.from({ length: 8 }, () => budget.open("192.0.2.1", false).run(busy(50)));
  assert.equal(budget.open("192.0.2.1", false).refusal()?.status, 429);
  assert.equal(budget.open("192.0.2.2", false).refusal(), undefined);
  await Promise.all(begun);
  assert.equal(budget.open("192.0.2.1", false).refusal(), undefined);
});

test("HUB-27: a task is charged before its cost is known, and gets back what it did not use", async () => {
  const { budget, busy } = world();
  const ask = () => budget.open("192.0.2.1", false);
  // Of the 3,000 ms saved up 50 are left, and no time passes.
  for (let asked = 0; asked < 2_950; asked += 1) assert.equal(ask().refusal(), undefined);
  const tasks = Array.from({ length: 3 }, () => ask().run(busy(1)));
  assert.equal(ask().refusal()?.status, 429);
  await Promise.all(tasks);
  // Each cost 1 ms, the refused request nothing, and 0.6 ms came in meanwhile.
  for (let asked = 0; asked < 48; asked += 1) assert.equal(ask().refusal(), undefined, `${asked}`);
  assert.equal(ask().refusal()?.status, 429);
});

test("HUB-40: a request that is half done has a place when new ones of its address have none", async () => {
  const { budget, busy } = world();
  const half = budget.open("192.0.2.1", false);
  await half.run(busy(1));
  const begun = Array.from({ length: 8 }, () => budget.open("192.0.2.1", false).run(busy(50)));
  await assert.rejects(budget.open("192.0.2.1", false).run(busy(1)), OverloadError);
  await half.run(busy(1));
  await Promise.all(begun);
});

test("when there are too many addresses, those that were quiet longest are forgotten", async () => {
  const { budget, busy, pass } = world();
  const isSpent = (address: string): boolean =>
    budget.open(address, false).refusal()?.status === 429;
  for (const address of ["192.0.2.1", "192.0.2.2"])
    await budget.open(address, false).run(busy(9_000));
  for (let other = 0; other < 19_999; other += 1) {
    pass(0.1);
    if (other === 10_000) assert.ok(isSpent("192.0.2.1"));
    budget.open(`10.${other >> 16}.${(other >> 8) & 255}.${other & 255}`, false).refusal();
  }
  assert.ok(isSpent("192.0.2.1"), "it was seen in between");
  assert.ok(!isSpent("192.0.2.2"), "it was not");
});

test("remembered addresses are bounded", () => {
  const { budget } = world();
  for (let address = 0; address < 25_000; address += 1) {
    budget.open(`10.${address >> 16}.${(address >> 8) & 255}.${address & 255}`, false).refusal();
  }
  assert.ok(budget.size <= 20_000, `${budget.size}`);
});

/** The address of a network of the site 2001:db8:1::/48. */
const inSite = (number: number): string => `2001:db8:1:${number.toString(16)}::1`;

test("TRK-23: all networks of an IPv6 site spend the work of four addresses", async () => {
  const { budget, busy } = world();
  let spentMs = 0;
  for (let at = 0; at < 1_000; at += 1) {
    const account = budget.open(inSite(at), false);
    if (account.refusal() !== undefined) break;
    await account.run(busy(500));
    spentMs += 500;
  }
  assert.ok(spentMs >= 4 * 3_000 && spentMs < 1_000 * 500, `${spentMs} ms`);
  const refused = budget.open(inSite(5_000), false).refusal();
  assert.equal(refused?.status, 429, "a network that asked for nothing so far");
  assert.ok(refused.retryAfter! >= 1 && refused.retryAfter! <= 10, `${refused.retryAfter}`);
  assert.equal(budget.open("2001:db8:2::1", false).refusal(), undefined, "another site");
  assert.equal(budget.open(inSite(5_000), true).refusal(), undefined, "a known person");
});

test("TRK-23: all networks of an IPv6 site have the tasks, and the turns, of sixteen addresses", async () => {
  const made = world();
  const mine = Array.from({ length: 160 }, (_, at) => ({ address: inSite(at) }));
  const { refused, done } = await flood(made, [...mine, { address: "192.0.2.1" }]);
  assert.deepEqual(refused, { 429: 160 - 8 * 16 });
  assert.ok(done.includes("192.0.2.1"));
  const ended: string[] = [];
  const next = world();
  const tasks = [...mine.slice(0, 128), { address: "192.0.2.1" }].map(async ({ address }) => {
    await next.budget.open(address, false).run(next.busy(60));
    ended.push(address);
  });
  await Promise.all(tasks);
  assert.ok(ended.indexOf("192.0.2.1") < 20, `${ended.indexOf("192.0.2.1")} of 128 ended before`);
});
