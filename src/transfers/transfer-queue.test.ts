import assert from "node:assert/strict";
import { test } from "node:test";
import { type Candidate, chooseDownloads, STALLED_MS } from "./transfer-queue.ts";

/** Spelled by letter: `r` runs, `s` is stalled, `w` waits, `z` rests. */
function candidates(spelled: string): Candidate[] {
  return Array.from(spelled, (letter, index) => ({
    id: `${letter}${index}`,
    isRunning: letter === "r" || letter === "s",
    stalledMs: letter === "s" ? STALLED_MS + index : 0,
    isResting: letter === "z",
  }));
}

for (const [name, spelled, limits, run, rest] of [
  ["the first of the queue run", "www", [2, 10], ["w0", "w1"], []],
  ["those that come first push others out", "wrr", [2, 10], ["w0", "r1"], []],
  ["no limit", "wwww", [0, 10], ["w0", "w1", "w2", "w3"], []],
  ["a stalled one holds nobody back", "sww", [2, 10], ["w1", "w2", "s0"], []],
  ["a resting one does not run", "zw", [1, 10], ["w1"], []],
  ["the engine's limit holds for all", "www", [0, 2], ["w0", "w1"], []],
  ["without room the longest stalled rest", "sssw", [1, 3], ["w3", "s0", "s1"], ["s2"]],
  ["with all places stalled the queue moves on", "ssz", [5, 2], ["s0"], ["s1"]],
] as const) {
  test(`downloads that run: ${name}`, () => {
    const [downloadsMax, runningMax] = limits;
    const chosen = chooseDownloads(candidates(spelled), { downloadsMax, runningMax });
    assert.deepEqual([...chosen.run], run);
    assert.deepEqual(chosen.rest, rest);
  });
}
