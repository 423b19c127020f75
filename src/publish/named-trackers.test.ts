import assert from "node:assert/strict";
import { test } from "node:test";
import { namedInOldFile, withOwnTrackers } from "./named-trackers.ts";

const HTTP = "http://127.0.0.1:8420/announce";
const UDP = "udp://127.0.0.1:8420/announce";
const OTHER = "udp://tracker.example:1337";

const oldFiles: [why: string, tiers: string[][], named: string[][]][] = [
  ["no tracker", [], []],
  ["the hub's own", [[HTTP], [UDP]], []],
  ["the hub's own at a public address", [["https://hub.example/announce"]], []],
  ["the hub's own below a path", [["https://hub.example/site/announce"]], []],
  [
    "the hub's own and others",
    [[HTTP], [UDP], [OTHER], ["wss://x.example"]],
    [[OTHER], ["wss://x.example"]],
  ],
  ["what may be the hub's in front of others", [[HTTP], [OTHER]], [[HTTP], [OTHER]]],
  [
    "UDP of another host",
    [[HTTP], ["udp://b.example:1/announce"]],
    [[HTTP], ["udp://b.example:1/announce"]],
  ],
  ["one of somebody else", [[OTHER]], [[OTHER]]],
  ["one with a passkey", [["http://x.example/announce?k=1"]], [["http://x.example/announce?k=1"]]],
  ["a tier of several", [[HTTP, OTHER]], [[HTTP, OTHER]]],
];
for (const [why, tiers, named] of oldFiles) {
  test(`a .torrent file of the first hubs with ${why} names ${named.flat().length}`, () => {
    assert.deepEqual(namedInOldFile(tiers), named);
  });
}

test("the hub's own trackers come first, and none is there twice", () => {
  assert.deepEqual(withOwnTrackers([HTTP, UDP], [[OTHER, UDP], [HTTP], ["wss://x.example"]]), [
    [HTTP],
    [UDP],
    [OTHER],
    ["wss://x.example"],
  ]);
  assert.deepEqual(withOwnTrackers([], [[OTHER]]), [[OTHER]]);
});
