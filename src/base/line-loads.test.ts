import assert from "node:assert/strict";
import { test } from "node:test";
import { lineOf } from "./address-line.ts";
import { LineLoads } from "./line-loads.ts";

/** The address of a network of a site. */
const inSite = (number: number, site = 1): string =>
  lineOf(`2001:db8:${site}:${number.toString(16)}::1`);

test("TRK-23: a line counts for what it holds, or for a sixteenth of what its site holds", () => {
  const loads = new LineLoads();
  for (let count = 0; count < 5; count += 1) loads.add(inSite(1));
  assert.equal(loads.of(inSite(1)), 5);
  assert.equal(loads.of(inSite(2)), 5 / 16);
  for (let number = 2; number < 129; number += 1) loads.add(inSite(number));
  assert.equal(loads.of(inSite(0xffff)), (5 + 127) / 16);
  assert.equal(loads.of(inSite(1)), (5 + 127) / 16);
  assert.equal(loads.of(inSite(1, 2)), 0, "another site");
});

test("an IPv4 address has no site", () => {
  const loads = new LineLoads();
  for (let number = 0; number < 200; number += 1) loads.add(lineOf(`192.0.2.${number}`));
  assert.equal(loads.of(lineOf("192.0.2.1")), 1);
  assert.equal(loads.of(lineOf("192.0.2.201")), 0);
});

test("what was removed counts no more, and leaves nothing behind", () => {
  const loads = new LineLoads();
  const lines = Array.from({ length: 50 }, (_, at) => inSite(at % 7, at % 3));
  for (const line of lines) loads.add(line);
  assert.ok(loads.size > 0);
  for (const line of lines) loads.remove(line);
  assert.equal(loads.size, 0);
  assert.equal(loads.of(inSite(0, 0)), 0);
});
