import assert from "node:assert/strict";
import { test } from "node:test";
import type { TrackerStatus } from "../tracker-client/remote-tracker.ts";
import { trackerNotices } from "./tracker-news.ts";

function tracker(name: string, state: TrackerStatus["state"], message?: string) {
  const status: TrackerStatus = {
    name,
    tier: 0,
    state,
    message,
    nextAnnounceInMs: undefined,
    announcedAgoMs: undefined,
    seeds: undefined,
    leechers: undefined,
    peersGiven: 0,
  };
  return { status: () => [status] };
}

test("tracker messages are reported by name, warnings first; silent trackers are left out", () => {
  const sources = [
    tracker("udp://dead", "failing"),
    tracker("http://fine", "working"),
    tracker("http://asked", "announcing"),
    tracker("http://warns", "working", "moves tomorrow"),
    tracker("http://refuses", "failing", "not registered here"),
  ];
  assert.deepEqual(trackerNotices(sources), [
    { kind: "warning", tracker: "http://warns", message: "moves tomorrow" },
    { kind: "failure", tracker: "udp://dead", message: "no answer" },
    { kind: "failure", tracker: "http://refuses", message: "not registered here" },
  ]);
});

test("an endless name or text is truncated", () => {
  const long = "x".repeat(100_000);
  for (const state of ["working", "failing"] as const) {
    const [notice] = trackerNotices([tracker(`http://${long}`, state, long)]);
    assert.ok(notice && notice.tracker.length < 310 && notice.message.length < 310);
  }
});
