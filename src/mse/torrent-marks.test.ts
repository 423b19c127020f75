import assert from "node:assert/strict";
import { test } from "node:test";
import { toHex } from "../base/bytes.ts";
import { sha1 } from "../base/hash.ts";
import { seededRandom } from "../sim/seeded-random.ts";
import { torrentMark } from "./mse-keys.ts";
import { TorrentMarks } from "./torrent-marks.ts";

const infohashOf = (number: number): Uint8Array => sha1(Uint8Array.of(number >>> 8, number & 255));

test("every infohash is found by its mark, none by another's, whatever comes and goes", () => {
  const marks = new TorrentMarks();
  const random = seededRandom(5);
  const here = new Set<number>();
  for (let step = 0; step < 6_000; step += 1) {
    const number = random.below(500);
    if (random.below(2) === 0) {
      marks.add(infohashOf(number));
      here.add(number);
    } else {
      marks.delete(infohashOf(number));
      here.delete(number);
    }
    assert.equal(marks.size, here.size);
  }
  for (let number = 0; number < 500; number += 1) {
    const found = marks.find(torrentMark(infohashOf(number)));
    assert.equal(found && toHex(found), here.has(number) ? toHex(infohashOf(number)) : undefined);
  }
});

test("an infohash is no mark", () => {
  const marks = new TorrentMarks();
  marks.add(infohashOf(1));
  assert.equal(marks.find(infohashOf(1)), undefined);
});
