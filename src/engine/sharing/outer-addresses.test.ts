import assert from "node:assert/strict";
import { test } from "node:test";
import { OuterAddresses } from "./outer-addresses.ts";

const WORLD = ["8.8.8.8", "9.9.9.9", "11.1.1.1", "12.1.1.1"];

test("four networks that agree are believed, one liar is not, however often it says so", () => {
  const outer = new OuterAddresses();
  for (let i = 0; i < 100; i += 1) outer.vote(`66.1.1.${i}`, "5.5.5.5");
  assert.equal(outer.seenBy("9.9.9.9"), undefined);
  for (const voter of WORLD) outer.vote(voter, "20.1.2.3");
  assert.equal(outer.seenBy("9.9.9.9"), "20.1.2.3");
  const { version } = outer;
  for (let i = 0; i < 100; i += 1) outer.vote(`66.1.1.${i}`, "5.5.5.5");
  assert.equal(outer.seenBy("9.9.9.9"), "20.1.2.3");
  assert.equal(outer.version, version);
});

test("a peer in our own network sees our local address, one in the world the outer one", () => {
  const outer = new OuterAddresses();
  outer.handleLocal("192.168.1.7");
  assert.equal(outer.seenBy("9.9.9.9"), "192.168.1.7", "as long as nothing better is known");
  outer.believe("20.1.2.3");
  outer.believe("10.0.0.9");
  assert.equal(outer.seenBy("9.9.9.9"), "20.1.2.3");
  assert.equal(outer.seenBy("192.168.1.8"), "192.168.1.7");
  assert.equal(outer.seenBy("2620:fe::9"), undefined);
});
