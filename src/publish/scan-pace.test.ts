import assert from "node:assert/strict";
import { test } from "node:test";
import { ROUND_PACE } from "./content-rounds.ts";
import { BYTES_PER_MS, SCRUB_PACE } from "./content-scrub.ts";
import { pauseMs } from "./scan-pace.ts";

const DAY_MS = 24 * 3600_000;
const MILLION = 1_000_000;

test("HUB-19: a million torrents are passed within a month, each file looked at and each byte compared", () => {
  // A look at a small torrent: its row, its .torrent file, its file.
  const roundMs = MILLION * (50 + pauseMs(ROUND_PACE, MILLION, 50));
  assert.ok(roundMs <= 8 * DAY_MS, `${roundMs / DAY_MS} days`);
  for (const bytes of [16_384, 4_000_000, 16_000_000, 20_000_000]) {
    const spentMs = 10 + bytes / BYTES_PER_MS;
    const wholeMs = MILLION * (spentMs + pauseMs(SCRUB_PACE, MILLION, spentMs));
    assert.ok(wholeMs <= 30 * DAY_MS, `${bytes} bytes each: ${wholeMs / DAY_MS} days`);
  }
});

test("few torrents are passed as slowly as ever, and many leave the disk half of its time", () => {
  assert.equal(pauseMs(ROUND_PACE, 1, 10), 2_000);
  assert.equal(pauseMs(SCRUB_PACE, 1, 10), 1_000);
  for (const spentMs of [1, 100, 5_000]) {
    assert.ok(pauseMs(ROUND_PACE, 100 * MILLION, spentMs) >= Math.max(50, spentMs));
  }
  // Its bytes are paced by themselves.
  assert.equal(pauseMs(SCRUB_PACE, 100 * MILLION, 5_000), 20);
});
