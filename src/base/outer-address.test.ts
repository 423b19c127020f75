import assert from "node:assert/strict";
import { test } from "node:test";
import { OuterAddress } from "./outer-address.ts";

test("DHT-9: an address is believed when four networks say so, and not because one says it often", () => {
  const outer = new OuterAddress();
  for (let i = 0; i < 100; i += 1) assert.equal(outer.vote(`20.1.2.${i}`, "66.6.6.6"), false);
  assert.equal(outer.current, undefined);
  assert.equal(outer.vote("21.1.1.1", "55.5.5.5"), false);
  assert.equal(outer.vote("22.1.1.1", "55.5.5.5"), false);
  assert.equal(outer.vote("23.1.1.1", "55.5.5.5"), false);
  assert.equal(outer.vote("24.1.1.1", "55.5.5.5"), true);
  assert.equal(outer.current, "55.5.5.5");
  assert.equal(outer.vote("25.1.1.1", "55.5.5.5"), false, "it is no news");
});

test("DHT-9: a new address takes a majority; neighbours and made-up addresses do not vote", () => {
  const outer = new OuterAddress("55.5.5.5");
  for (let net = 20; net < 30; net += 1) outer.vote(`${net}.1.1.1`, "55.5.5.5");
  for (let net = 30; net < 40; net += 1)
    assert.equal(outer.vote(`${net}.1.1.1`, "77.7.7.7"), false);
  assert.equal(outer.vote("192.168.0.1", "77.7.7.7"), false);
  assert.equal(outer.vote("41.1.1.1", "10.0.0.1"), false);
  assert.equal(outer.vote("40.1.1.1", "77.7.7.7"), true);
  assert.equal(outer.current, "77.7.7.7");
});
