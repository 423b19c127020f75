import assert from "node:assert/strict";
import { test } from "node:test";
import { toHex } from "../base/bytes.ts";
import { seededRandom } from "../sim/seeded-random.ts";
import { SortedInfohashes } from "./sorted-infohashes.ts";

test("infohashes stay in order and without doubles, whatever comes and goes", () => {
  const random = seededRandom(4);
  const sorted = new SortedInfohashes();
  const model = new Set<string>();
  // Few different ones, so that many come twice.
  const any = (): Uint8Array => {
    const infohash = new Uint8Array(20);
    infohash[0] = random.below(4) * 85;
    infohash[19] = random.below(64) * 4;
    return infohash;
  };
  for (let step = 0; step < 3000; step += 1) {
    const infohash = any();
    const key = toHex(infohash);
    if (random.below(3) > 0) {
      assert.equal(sorted.add(infohash), !model.has(key));
      model.add(key);
    } else {
      assert.equal(sorted.delete(infohash), model.delete(key));
    }
    const all = [...model].toSorted();
    assert.equal(sorted.count, all.length);
    const other = any();
    assert.equal(sorted.has(other), model.has(toHex(other)));
    const first = all.findIndex((one) => one >= toHex(other));
    assert.equal(sorted.firstFrom(other), first < 0 ? all.length : first);
    if (step % 100 === 0)
      assert.deepEqual(
        all.map((_, at) => toHex(sorted.at(at))),
        all,
      );
  }
});
