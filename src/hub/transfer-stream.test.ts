import assert from "node:assert/strict";
import { test } from "node:test";
import type { Transfer } from "../transfers/transfer.ts";
import { Deltas } from "./transfer-stream.ts";

function transfer(number: number, uploaded: number): Transfer {
  return {
    id: `${number}`.padStart(40, "0"),
    seq: number,
    infohashes: { v1: new Uint8Array(20).fill(1) },
    name: "talks",
    root: "/r",
    state: { kind: "seeding", asleep: true },
    size: 1,
    done: 1,
    downBytesPerSecond: 0,
    upBytesPerSecond: 0,
    downloaded: 0,
    uploaded,
    seededMs: 0,
    peers: 0,
    seeds: 0,
    knownPeers: 0,
    label: undefined,
    position: number,
    private: false,
    isWhole: true,
    addedAtMs: 0,
    finishedAtMs: 0,
    activeAtMs: 0,
    choices: {},
  };
}

test("a reader is told what differs; of transfers that changed long ago all, so that a hundred thousand cost no memory", () => {
  const deltas = new Deltas();
  const told = (number: number, uploaded: number): string[] => {
    deltas.add({ changed: [transfer(number, uploaded)], removed: [] });
    return Object.keys(deltas.take()!.changed[0]!);
  };
  assert.ok(told(0, 1).includes("name"));
  assert.deepEqual(told(0, 2), ["id", "uploaded", "ratio"]);
  for (let number = 1; number <= 2_000; number += 1) told(number, 1);
  assert.ok(told(0, 3).includes("name"));
});
