import assert from "node:assert/strict";
import { test } from "node:test";
import { SignInGuard } from "./sign-in-guard.ts";

test("HUB-9: one address that guesses waits twice as long each time, up to 15 minutes", () => {
  const guard = new SignInGuard();
  const waits: number[] = [];
  let now = 0;
  for (let tries = 0; tries < 40; tries += 1) {
    guard.handleWrong(`name${tries}`, "10.0.0.1", now);
    const wait = guard.waitMs("other", "10.0.0.1", now);
    waits.push(wait);
    now += wait;
  }
  assert.deepEqual(waits.slice(0, 9), [0, 0, 0, 0, 1000, 2000, 4000, 8000, 16_000]);
  assert.equal(Math.max(...waits), 15 * 60_000);
  assert.equal(guard.waitMs("other", "10.0.0.2", now), 0);
});

test("HUB-9: guessing at one name from many addresses never keeps its owner out for long", () => {
  const guard = new SignInGuard();
  for (let tries = 0; tries < 5000; tries += 1)
    guard.handleWrong("Admin", `10.0.${tries >> 8}.${tries & 255}`, 0);
  const wait = guard.waitMs("admin", "192.0.2.9", 0);
  assert.ok(wait > 0 && wait <= 10_000, `${wait}`);
});

test("HUB-9: a whole IPv6 network counts as one address, IPv4 in IPv6 as IPv4", () => {
  const guard = new SignInGuard();
  for (let tries = 0; tries < 8; tries += 1)
    guard.handleWrong(`n${tries}`, `2001:db8::${tries}`, 0);
  assert.ok(guard.waitMs("x", "2001:db8::ffff", 0) > 0);
  assert.equal(guard.waitMs("x", "2001:db8:1::1", 0), 0);
});

test("HUB-9: the right password forgives the address; an hour forgives all", () => {
  const guard = new SignInGuard();
  for (let tries = 0; tries < 8; tries += 1) guard.handleWrong(`n${tries}`, "10.0.0.1", 0);
  guard.handleRight("10.0.0.1");
  assert.equal(guard.waitMs("x", "10.0.0.1", 0), 0);
  for (let tries = 0; tries < 8; tries += 1) guard.handleWrong(`n${tries}`, "10.0.0.3", 0);
  guard.handleWrong("x", "10.0.0.3", 2 * 3_600_000);
  assert.equal(guard.waitMs("x", "10.0.0.3", 2 * 3_600_000), 0);
});
