import assert from "node:assert/strict";
import { test } from "node:test";
import { REACH } from "../base/address-reach.ts";
import { seededRandom } from "../sim/seeded-random.ts";
import { NameStandIns } from "./name-stand-ins.ts";

test("a name has one stand-in, which leads back to it; addresses stand for themselves", () => {
  const names = new NameStandIns(seededRandom(1));
  const address = names.of("tracker.example");
  assert.match(address, /^24[0-7](\.\d+){3}$/);
  assert.equal(names.of("Tracker.Example."), address);
  assert.equal(names.nameOf(address), "tracker.example");
  assert.equal(names.reachOf(address), REACH.world);
  for (const [host, stands] of [
    ["1.2.3.4", "1.2.3.4"],
    ["[2001:DB8::1]", "2001:db8::1"],
    ["localhost", "127.0.0.1"],
    ["a.localhost", "127.0.0.1"],
  ] as const) {
    assert.equal(names.of(host), stands);
    assert.equal(names.nameOf(stands), undefined);
    assert.equal(names.reachOf(stands), undefined);
  }
});

test("house rule 8: names of somebody's own network count as near", () => {
  const names = new NameStandIns(seededRandom(1));
  for (const host of ["router", "nas.local", "box.lan", "x.home.arpa", "srv.internal"]) {
    assert.equal(names.reachOf(names.of(host)), REACH.network, host);
  }
  assert.equal(names.reachOf(names.of("local.example")), REACH.world);
});

test("house rule 9: the oldest of very many names is forgotten", () => {
  const names = new NameStandIns(seededRandom(1));
  const all = Array.from({ length: 1025 }, (_, n) => names.of(`t${n}.example`));
  assert.equal(new Set(all).size, 1025);
  assert.equal(names.nameOf(all[0]!), undefined);
  assert.equal(names.nameOf(all[1]!), "t1.example");
});
