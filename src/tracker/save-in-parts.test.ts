import assert from "node:assert/strict";
import { setImmediate as turn } from "node:timers/promises";
import { test } from "node:test";
import { HandClock } from "../../test/tracker/tracker-world.ts";
import { SILENT_LOG } from "../ports/log.ts";
import { PrincipalTotals } from "./principal-totals.ts";
import { PART_ROWS } from "./save-in-parts.ts";
import { OpenTotals } from "./swarm-totals.ts";

const SWARMS = PART_ROWS * 2 + 500;
const MORE = { completed: 1, uploaded: 2, downloaded: 3 };
const infohashOf = (swarm: number) => Uint8Array.from({ length: 20 }, (_, i) => swarm >> (8 * i));

/** A store that refuses once, at the part of this number. */
function storeOf(refusedPart: number) {
  const parts: number[] = [];
  const take = async (rows: readonly unknown[]): Promise<void> => {
    const fails = parts.length === refusedPart;
    parts.push(fails ? -rows.length : rows.length);
    if (fails) throw new Error("disk full");
  };
  return { parts, all: () => [], sums: () => [], save: take, add: take };
}

/** Lets the clock's timers fire until the work has ended. */
async function finish(work: Promise<void>, clock: HandClock): Promise<void> {
  let ended = false;
  const ending = work.then(() => (ended = true));
  for (let round = 0; round < 20 && !ended; round += 1) {
    await turn();
    clock.pass(0);
  }
  await ending;
}

function openSwarms(totals: OpenTotals): void {
  for (let swarm = 0; swarm < SWARMS; swarm += 1) {
    totals.open(swarm, infohashOf(swarm), true);
    totals.add(swarm, MORE);
  }
}

test("HUB-27: totals of many swarms are saved a part at a time, and other work gets its turn in between", async () => {
  const clock = new HandClock();
  const store = storeOf(-1);
  const totals = new OpenTotals(store, 1, { clock, log: SILENT_LOG });
  openSwarms(totals);
  const saving = totals.flush();
  await turn();
  assert.deepEqual(store.parts, [PART_ROWS]);
  assert.deepEqual([totals.close(0), totals.close(SWARMS - 1)], [true, false]);
  // A change of what is not saved yet goes with it; one of what is saved waits for the next time.
  totals.add(SWARMS - 1, MORE);
  totals.add(1, MORE);
  await finish(saving, clock);
  assert.deepEqual(store.parts, [PART_ROWS, PART_ROWS, 500]);
  await totals.flush();
  assert.deepEqual(store.parts.slice(3), [1]);
});

test("TRK-17: when a part is refused, it and those behind it are saved the next time, each once", async () => {
  const clock = new HandClock();
  const store = storeOf(1);
  const totals = new OpenTotals(store, 1, { clock, log: SILENT_LOG });
  openSwarms(totals);
  await finish(totals.flush(), clock);
  assert.deepEqual(store.parts, [PART_ROWS, -PART_ROWS]);
  await finish(totals.flush(), clock);
  assert.deepEqual(store.parts.slice(2), [PART_ROWS, 500]);
  await totals.flush();
  assert.equal(store.parts.length, 4);
});

test("TRK-17: the same for members, whose saved changes are not added twice", async () => {
  const clock = new HandClock();
  const store = storeOf(1);
  const totals = new PrincipalTotals(store, { clock, log: SILENT_LOG });
  const principal = { kind: "member", id: "anna" } as const;
  for (let swarm = 0; swarm < SWARMS; swarm += 1) {
    totals.add({ principal, infohash: infohashOf(swarm), ...MORE, seededS: 0 });
  }
  await finish(totals.flush(), clock);
  await finish(totals.flush(), clock);
  assert.deepEqual(store.parts, [PART_ROWS, -PART_ROWS, PART_ROWS, 500]);
  assert.equal(totals.sum(principal).completed, SWARMS);
});
