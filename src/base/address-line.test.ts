import assert from "node:assert/strict";
import { test } from "node:test";
import { lineOf } from "./address-line.ts";

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
