import assert from "node:assert/strict";
import { test } from "node:test";
import { lineOf, placeOf, SITE_SHARES, siteOf } from "./address-line.ts";

test("addresses of one IPv6 /64 are one line, in every spelling; IPv4 addresses are one each", () => {
  const same = [
    "2001:db8:0:1::1",
    "2001:0DB8::1:ffff:ffff:ffff:ffff",
    "2001:db8:0:1::2%eth0",
    "2001:db8:0:1::192.0.2.1",
  ];
  assert.equal(new Set(same.map(lineOf)).size, 1);
  assert.equal(new Set([...same, "2001:db8:0:2::1", "2001:db8::1"].map(lineOf)).size, 3);
  assert.equal(lineOf("::ffff:192.0.2.1"), lineOf("192.0.2.1"));
  assert.notEqual(lineOf("192.0.2.1"), lineOf("192.0.2.2"));
  assert.equal(lineOf("x".repeat(60_000)), lineOf(""));
});

test("TRK-23: lines of one IPv6 /48 have one site; everything else has none", () => {
  const siteOfAddress = (address: string): string | undefined => siteOf(lineOf(address));
  const site = siteOfAddress("2001:db8:1::1");
  assert.ok(site !== undefined);
  assert.equal(siteOfAddress("2001:db8:1:ffff::9"), site);
  assert.notEqual(siteOfAddress("2001:db8:2::1"), site);
  for (const none of ["192.0.2.1", "::ffff:192.0.2.1", "", "nonsense/64"]) {
    assert.equal(siteOfAddress(none), undefined, none);
  }
});

test("TRK-23: a site has sixteen places in a queue, also when each home in it has a /56", () => {
  const places = (step: number): Set<string> => {
    const lines = Array.from({ length: 0x1_0000 / step }, (_, at) =>
      lineOf(`2001:db8:1:${(at * step).toString(16)}::1`),
    );
    return new Set(lines.map(placeOf));
  };
  assert.equal(places(1).size, SITE_SHARES);
  assert.equal(places(0x100).size, SITE_SHARES);
  assert.equal(placeOf(lineOf("192.0.2.1")), lineOf("192.0.2.1"));
  const one = placeOf(lineOf("2001:db8:1::1"));
  assert.equal(placeOf(lineOf("2001:db8:1::2")), one);
  assert.notEqual(placeOf(lineOf("2001:db8:2::1")), one);
});
