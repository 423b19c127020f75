import assert from "node:assert/strict";
import { test } from "node:test";
import { type OpenTry, SignInGuard, type SignInTry } from "./sign-in-guard.ts";

const MINUTE = 60_000;

class Door {
  readonly guard = new SignInGuard();
  now = 0;

  begin(name: string, address: string, browser?: string): OpenTry | number {
    const attempt: SignInTry = { name, address, browser: browser ? { id: browser } : undefined };
    const outcome = this.guard.begin(attempt, this.now);
    return outcome.kind === "open" ? outcome.attempt : outcome.waitMs;
  }

  /** @returns 0 when the try was judged and wrong; otherwise the time to wait. */
  wrong(name: string, address: string, browser?: string): number {
    const attempt = this.begin(name, address, browser);
    if (typeof attempt === "number") return attempt;
    attempt.handleWrong();
    return 0;
  }

  right(name: string, address: string, browser?: string): boolean {
    const attempt = this.begin(name, address, browser);
    if (typeof attempt === "number") return false;
    attempt.handleRight();
    return true;
  }
}

test("HUB-9: one address that guesses waits twice as long each time, up to 15 minutes", () => {
  const door = new Door();
  const waits: number[] = [];
  for (let tries = 0; tries < 20; tries += 1) {
    assert.equal(door.wrong(`name${tries}`, "10.0.0.1"), 0);
    const wait = door.wrong("other", "10.0.0.1");
    waits.push(wait);
    if (wait === 0) continue;
    door.now += wait;
  }
  // The try that reads the wait counts too while there is no wait.
  assert.deepEqual(waits.slice(0, 8), [0, 0, 1000, 2000, 4000, 8000, 16_000, 32_000]);
  assert.equal(Math.max(...waits), 15 * MINUTE);
  assert.equal(door.wrong("other", "10.0.0.2"), 0);
});

test("HUB-9: of a hundred simultaneous guesses two are judged, as many as one after the other", () => {
  const door = new Door();
  const begun = Array.from({ length: 100 }, () => door.begin("ann", "10.0.0.1"));
  const open = begun.filter((each) => typeof each !== "number");
  assert.equal(open.length, 2);
  for (const each of open) each.handleWrong();
  const later = Array.from({ length: 100 }, () => door.wrong("ann", "10.0.0.1"));
  assert.equal(later.filter((wait) => wait === 0).length, 3, "five in all are free");
});

test("HUB-9: strangers from many addresses do not lock out a known browser or address", () => {
  const door = new Door();
  assert.ok(door.right("Ann", "192.168.1.7"));
  for (let tries = 0; tries < 5000; tries += 1) {
    door.wrong("ANN", `10.${tries >> 16}.${(tries >> 8) & 255}.${tries & 255}`);
    door.now += 10;
  }
  assert.ok(door.right("ann", "192.168.1.7"), "from home");
  assert.ok(door.right("ann", "10.0.0.1", "the browser of ann"), "even from a guesser's address");
  const wait = door.wrong("ann", "192.168.1.8");
  assert.ok(wait > 0 && wait <= 10_000, `a new place waits a little: ${wait}`);
  door.now += 10 * MINUTE;
  assert.equal(door.wrong("ann", "192.168.1.8"), 0, "the delay of a name decays");
});

test("HUB-9: a known browser guesses no faster than an address", () => {
  const door = new Door();
  for (let tries = 0; tries < 5; tries += 1) {
    assert.equal(door.wrong("ann", `10.0.0.${tries}`, "stolen"), 0);
  }
  assert.equal(door.wrong("ann", "10.0.0.99", "stolen"), 1000);
});

test("HUB-9: places are reserved for known browsers, however many strangers are trying", () => {
  const door = new Door();
  const strangers = Array.from({ length: 100 }, (_, n) => door.begin(`n${n}`, `10.0.0.${n}`));
  assert.equal(strangers.filter((each) => typeof each !== "number").length, 24);
  assert.ok(door.right("ann", "10.9.9.9", "the browser of ann"));
  const [first] = strangers;
  assert.ok(typeof first === "object");
  first.handleWrong();
  assert.equal(door.wrong("bob", "10.0.1.1"), 0, "a place became free");
});

test("HUB-9: a right password is not counted, and clears no address", () => {
  const door = new Door();
  for (let tries = 0; tries < 4; tries += 1) door.wrong("ann", "10.0.0.1");
  for (let tries = 0; tries < 50; tries += 1) assert.ok(door.right("eve", "10.0.0.1"));
  assert.equal(door.wrong("ann", "10.0.0.1"), 0);
  assert.ok(door.wrong("ann", "10.0.0.1") > 0, "the fifth wrong one counts as such");
});

test("HUB-9: a whole IPv6 network counts as one address", () => {
  const door = new Door();
  for (let tries = 0; tries < 8; tries += 1) door.wrong(`n${tries}`, `2001:db8::${tries}`);
  assert.ok(door.wrong("x", "2001:db8::ffff") > 0);
  assert.equal(door.wrong("x", "2001:db8:1::1"), 0);
});

test("TRK-23: all networks of an IPv6 site guess no faster than sixteen addresses", () => {
  const door = new Door();
  const inSite = (number: number): string => `2001:db8:1:${number.toString(16)}::1`;
  let tries = 0;
  while (door.wrong(`n${tries}`, inSite(tries)) === 0) {
    tries += 1;
    assert.ok(tries < 1_000, "it ends");
  }
  assert.equal(tries, 5 * 16);
  assert.equal(door.wrong("x", "2001:db8:2::1"), 0, "another site");
  door.now += 24 * 60 * MINUTE;
  assert.equal(door.wrong("x", inSite(0)), 0, "forgiven");
});

test("HUB-9: an address gets one try back every ten minutes", () => {
  const door = new Door();
  for (let tries = 0; tries < 6; tries += 1) {
    door.now += door.wrong(`n${tries}`, "10.0.0.1");
  }
  door.now += 60 * MINUTE;
  for (let tries = 0; tries < 5; tries += 1) assert.equal(door.wrong("x", "10.0.0.1"), 0);
});

test("HUB-9: a name gets one try back every half minute", () => {
  const door = new Door();
  let address = 0;
  const guess = (): number => door.wrong("ann", `10.0.${address >> 8}.${(address += 1) & 255}`);
  for (let tries = 0; tries < 20; tries += 1) assert.equal(guess(), 0);
  assert.equal(guess(), 1_000, "the twenty-first waits");
  door.now += 5 * 30_000;
  for (let tries = 0; tries < 5; tries += 1) assert.equal(guess(), 0, `forgiven: ${tries}`);
  assert.equal(guess(), 1_000);
  door.now += 24 * 60 * MINUTE;
  for (let tries = 0; tries < 20; tries += 1) assert.equal(guess(), 0, "all are forgiven");
});

test("HUB-9: each table is bounded, also that of known addresses", () => {
  const door = new Door();
  const addressOf = (n: number): string => `10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`;
  const siteOf = (n: number): string => `2001:db8:${n.toString(16)}::1`;
  for (let person = 0; person < 20_100; person += 1) {
    assert.ok(door.right(`person${person}`, addressOf(person)));
    // Another address line, and no time to forgive.
    door.wrong(`other${person}`, siteOf(person));
    door.wrong(`person${person}`, addressOf(200_000), `browser ${person}`);
  }
  for (const [table, size] of Object.entries(door.guard.sizes)) {
    assert.ok(size >= 19_999 && size <= 20_000, `${table}: ${size}`);
  }
});

test("HUB-9: forgiven tries are forgotten", () => {
  const door = new Door();
  for (let tries = 0; tries < 100; tries += 1) door.wrong(`name${tries}`, `10.0.0.${tries}`);
  door.now += 11 * MINUTE;
  door.wrong("ann", "10.0.1.1");
  assert.deepEqual(door.guard.sizes, { addresses: 1, sites: 0, names: 1, browsers: 0, homes: 0 });
});

/** More than the garbage of the test itself takes. */
const SURELY_KEPT_BYTES = 192 * 1024 * 1024;

test("HUB-9: long and impossible names cost no memory", () => {
  const door = new Door();
  globalThis.gc?.();
  const before = process.memoryUsage().heapUsed;
  const grownBy = (): number => process.memoryUsage().heapUsed - before;
  for (let tries = 0; tries < 30_000; tries += 1) {
    const name = `${"x".repeat(60_000)}${tries}`;
    door.wrong(name, `10.${tries >> 16}.${(tries >> 8) & 255}.${tries & 255}`);
    if (tries % 1_000 !== 0) continue;
    assert.equal(door.guard.sizes.names, 0, "an impossible name is not tracked");
    assert.ok(grownBy() < SURELY_KEPT_BYTES, `${grownBy()} bytes after ${tries} names`);
  }
  assert.ok(grownBy() < 64 * 1024 * 1024, `${grownBy()} bytes`);
});
