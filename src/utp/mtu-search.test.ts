import assert from "node:assert/strict";
import test from "node:test";
import { MtuSearch } from "./mtu-search.ts";

/** Sends probes until there is nothing to try, over a way that carries so much. */
function search(mtu: MtuSearch, wayBytes: number): number {
  let probes = 0;
  for (let size = mtu.nextProbe(); size !== undefined; size = mtu.nextProbe()) {
    mtu.probeSent();
    assert.equal(mtu.nextProbe(), undefined, "one probe at a time");
    if (size <= wayBytes) mtu.probeArrived(size);
    else mtu.probeLost(size);
    probes += 1;
    assert.ok(probes < 50, "it ends");
  }
  return mtu.sizeBytes;
}

test("an Ethernet is found with one probe, and never exceeded", () => {
  const mtu = new MtuSearch(4);
  assert.equal(mtu.nextProbe(), 1472);
  assert.equal(search(mtu, 65_000), 1472);
  assert.equal(search(new MtuSearch(6), 65_000), 1452);
});

test("a narrower way is found to a few bytes", () => {
  for (const wayBytes of [1400, 1420, 1436, 1460]) {
    const found = search(new MtuSearch(4), wayBytes);
    assert.ok(found <= wayBytes && found > wayBytes - 24, `${found} of ${wayBytes}`);
  }
});

test("a probe that is lost by chance is tried again", () => {
  const mtu = new MtuSearch(4);
  mtu.probeSent();
  mtu.probeLost(1472);
  assert.equal(mtu.nextProbe(), 1472);
});

test("when nothing arrives packets become small, and grow from there", () => {
  const mtu = new MtuSearch(4);
  mtu.handleBlackHole();
  assert.equal(mtu.sizeBytes, 548);
  const found = search(mtu, 1000);
  assert.ok(found <= 1000 && found > 970, `${found}`);
  mtu.handleBlackHole();
  assert.equal(mtu.sizeBytes, found, "a size that arrived is not the reason");
});
