import assert from "node:assert/strict";
import { test } from "node:test";
import type { TransferTracker } from "./transfer-engine.ts";
import { TransferJournal } from "./transfer-journal.ts";

const UNFINISHED = { finished_at: null };

function journal() {
  let now = 0;
  return new TransferJournal(() => (now += 1));
}

function tracker(state: TransferTracker["state"], message?: string): TransferTracker {
  const rest = {
    tier: 0,
    nextAnnounceInMs: 1,
    seeds: 0,
    leechers: 0,
    peersGiven: 0,
    announcedAgoMs: undefined,
  };
  return { name: "udp://tracker.example:6969", state, message, ...rest };
}

const messages = (of: TransferJournal, id = "a") => of.lines(id).map(({ message }) => message);

test("changes of the row and events of the engine are lines, the newest first", () => {
  const kept = journal();
  kept.handleChange("a", UNFINISHED, { stopped: 0, pause: null, failure: null });
  kept.handleEvent("a", { kind: "piece", piece: 3 });
  kept.handleEvent("a", { kind: "peer-banned", address: "192.0.2.7", reason: "bad pieces" });
  kept.handleChange("a", UNFINISHED, { finished_at: 5, whole: 1 });
  kept.handleChange("a", UNFINISHED, { stopped: 1, pause: "ratio" });
  assert.deepEqual(messages(kept), [
    "It was stopped: its ratio is reached.",
    "Everything wanted is here and checked.",
    "The peer 192.0.2.7 was shut out: bad pieces.",
    "It was started.",
  ]);
  assert.deepEqual(
    kept.lines("a").map(({ trouble }) => trouble),
    [false, false, true, false],
  );
  assert.deepEqual(kept.lines("b"), []);
});

test("one that was finished before is not finished again", () => {
  const kept = journal();
  kept.handleChange("a", { finished_at: 4 }, { finished_at: 4, whole: 1 });
  assert.deepEqual(messages(kept), []);
});

test("a tracker that fails is told when it begins and when it ends, not in between", () => {
  const kept = journal();
  for (const state of [
    "working",
    "failing",
    "announcing",
    "failing",
    "working",
    "working",
  ] as const) {
    kept.handleTrackers("a", [tracker(state, "no answer within 15 s")]);
  }
  assert.deepEqual(messages(kept), [
    "The tracker udp://tracker.example:6969 answers again.",
    "The tracker udp://tracker.example:6969 fails: no answer within 15 s.",
  ]);
});

test("the memory is bounded: the oldest lines of a transfer go, and the transfer that was quiet longest", () => {
  const kept = journal();
  for (let piece = 0; piece < 300; piece += 1) kept.handleEvent("a", { kind: "piece-lost", piece });
  assert.equal(kept.lines("a").length, 200);
  assert.match(messages(kept)[0]!, /Piece 299/);
  for (let index = 0; index < 1_000; index += 1) {
    kept.handleChange(`other ${index}`, UNFINISHED, { stopped: 0 });
  }
  assert.deepEqual(kept.lines("a"), []);
  assert.equal(kept.lines("other 0").length, 1);
});
