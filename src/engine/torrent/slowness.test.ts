import assert from "node:assert/strict";
import { test } from "node:test";
import type { Slowness } from "../session-contract.ts";
import { type SlownessFacts, slownessOf } from "./slowness.ts";

const NOW = 60_000;
const SENDS = { connection: { amInterested: true, peerChoking: false, isSeed: false } };
const CHOKES = { connection: { amInterested: true, peerChoking: true, isSeed: true } };
const USELESS = { connection: { amInterested: false, peerChoking: false, isSeed: false } };
const EMPTIED = { connection: { amInterested: false, peerChoking: false, isSeed: true } };

function facts(peers: readonly (typeof SENDS)[], more: Partial<SlownessFacts> = {}): SlownessFacts {
  const stats = { peers: peers.length, knownPeers: peers.length };
  const held = { limitedAtMs: undefined, diskAtMs: undefined };
  return { stats, webSeeds: 0, isInfoKnown: true, peers, ...held, ...more };
}

const CASES: readonly (readonly [what: string, SlownessFacts, Slowness])[] = [
  ["nobody is known", facts([]), "nobody-known"],
  [
    "nobody who is known is connected",
    facts([], { stats: { peers: 0, knownPeers: 7 } }),
    "nobody-reached",
  ],
  ["the peers lack what is missing", facts([USELESS, USELESS]), "nobody-has-it"],
  ["the last pieces are being written", facts([USELESS, EMPTIED]), "disk"],
  ["those that have it all choke us", facts([USELESS, CHOKES]), "all-choke"],
  [
    "peers have not sent the info of a magnet link",
    facts([USELESS], { isInfoKnown: false }),
    "peers",
  ],
  ["a web seed sends", facts([CHOKES], { webSeeds: 1 }), "peers"],
  ["one of many sends", facts([CHOKES, USELESS, SENDS]), "peers"],
  ["our own limit held it back just now", facts([SENDS], { limitedAtMs: NOW - 500 }), "own-limit"],
  ["it did so a while ago", facts([SENDS], { limitedAtMs: NOW - 5_000 }), "peers"],
  ["the disk holds the memory", facts([SENDS], { diskAtMs: NOW - 500 }), "disk"],
  [
    "limit and disk: the limit is what a person chose",
    facts([SENDS], { diskAtMs: NOW, limitedAtMs: NOW }),
    "own-limit",
  ],
];

for (const [what, given, cause] of CASES) {
  test(`why a download is slow: ${what}`, () => {
    assert.equal(slownessOf(given, NOW), cause);
  });
}
