import assert from "node:assert/strict";
import { test } from "node:test";
import { sha1, sha256 } from "../base/hash.ts";
import type { Infohashes } from "../base/infohash.ts";
import { Simulation } from "../sim/simulation.ts";
import { torrentMark } from "./mse-keys.ts";
import { SleepingMarks } from "./sleeping-marks.ts";

const infohashesOf = (number: number): Infohashes => {
  const bytes = Uint8Array.of(number >>> 8, number & 255);
  return number % 2 === 0 ? { v1: sha1(bytes) } : { v1: sha1(bytes), v2: sha256(bytes) };
};
const markOf = (number: number): Uint8Array => torrentMark(infohashesOf(number).v1!);

function* upTo(count: number): Generator<Infohashes> {
  for (let number = 0; number < count; number += 1) yield infohashesOf(number);
}

/** Lets promises and timers have their turns. */
async function settle(simulation: Simulation): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) {
    simulation.runFor(1);
    await Promise.resolve();
  }
}

test("the marks are read in slices when the first peer needs one, and both wire forms are found", async () => {
  const simulation = new Simulation();
  let read = 0;
  const marks = new SleepingMarks({
    clock: simulation,
    all: function* () {
      for (const infohashes of upTo(2_500)) {
        read += 1;
        yield infohashes;
      }
    },
  });
  assert.equal(read, 0);
  const found = marks.find(markOf(2_400));
  assert.ok(found instanceof Promise);
  assert.ok(read <= 1_001, `${read} at once`);
  await settle(simulation);
  assert.deepEqual(await found, new Uint8Array(infohashesOf(2_400).v1!));
  assert.equal(read, 2_500);
  const v2 = infohashesOf(3).v2!.slice(0, 20);
  assert.deepEqual(marks.find(torrentMark(v2)), new Uint8Array(v2));
  assert.equal(marks.find(markOf(2_501)), undefined);
  assert.equal(read, 2_500, "once");
});

test("torrents that come and go, before, while and after the marks are read", async () => {
  const simulation = new Simulation();
  const marks = new SleepingMarks({ clock: simulation, all: () => upTo(2_500) });
  marks.add(infohashesOf(9_000));
  marks.delete(infohashesOf(1));
  const waiting = marks.find(markOf(2_400));
  marks.delete(infohashesOf(2_400));
  marks.add(infohashesOf(9_001));
  await settle(simulation);
  assert.equal(await waiting, undefined, "it went while the marks were read");
  assert.ok(marks.find(markOf(9_001)));
  marks.delete(infohashesOf(5));
  assert.equal(marks.find(markOf(5)), undefined);
  marks.add(infohashesOf(5));
  assert.ok(marks.find(markOf(5)));
});
