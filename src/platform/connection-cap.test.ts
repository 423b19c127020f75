import assert from "node:assert/strict";
import { test } from "node:test";
import { ConnectionCap } from "./connection-cap.ts";

test("HUB-25: an address has so many connections at once and no more; those of others are their own", () => {
  const cap = new ConnectionCap(2);
  const first = cap.admit("203.0.113.9");
  const second = cap.admit("203.0.113.9");
  assert.ok(first && second);
  assert.equal(cap.admit("203.0.113.9"), undefined);
  assert.ok(cap.admit("203.0.113.8"));
  first();
  assert.ok(cap.admit("203.0.113.9"));
  assert.equal(cap.admit("203.0.113.9"), undefined);
});

test("HUB-25: an IPv6 line counts as one address, the next line as another", () => {
  const cap = new ConnectionCap(1);
  assert.ok(cap.admit("2001:db8:1:2::1"));
  assert.equal(cap.admit("2001:db8:1:2:ffff::9"), undefined);
  assert.ok(cap.admit("2001:db8:1:3::1"));
});

test("what has ended is forgotten", () => {
  const cap = new ConnectionCap(5);
  const ends = Array.from({ length: 5 }, () => cap.admit("203.0.113.9"));
  for (const end of ends) end?.();
  assert.equal(cap.size, 0);
});
