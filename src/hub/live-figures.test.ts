import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { UNCOUNTED } from "../ports/outside-faults.ts";
import { LiveFigures } from "./live-figures.ts";

function openIn(t: TestContext) {
  const clock = {
    nowMs: () => 0,
    wallMs: () => 0,
    startTimer: () => ({ cancel: () => undefined }),
  };
  const live = new LiveFigures(clock, UNCOUNTED);
  t.after(() => live.close());
  const open = (remoteAddress: string): Response | undefined =>
    live.open("torrent", { remoteAddress, localAddress: undefined }, () => ({ seeds: 1 }));
  return { live, open };
}

test("HUB-21: one line has a hundred live views: an IPv4 address, or all of an IPv6 /64", async (t) => {
  for (const addressOf of [() => "192.0.2.1", (n: number) => `2001:db8::${n.toString(16)}`]) {
    const { live, open } = openIn(t);
    const mine = Array.from({ length: 130 }, (_, index) => open(addressOf(index)));
    assert.equal(mine.filter((each) => each !== undefined).length, 100);
    assert.ok(open("198.51.100.1"), "others have theirs");
    assert.ok(open("2001:db8:0:1::1"));
    await mine[0]!.body!.cancel();
    assert.ok(open(addressOf(0)), "a slot became free");
    assert.equal(live.size, 102);
  }
});

test("HUB-21: all lines together have two thousand", (t) => {
  const { live, open } = openIn(t);
  for (let reader = 0; reader < 2_100; reader += 1) open(`10.0.${reader >> 8}.${reader & 255}`);
  assert.equal(live.size, 2_000);
});

test("HUB-47: when all slots are taken, the line with most live views gives its oldest to a line without any", async (t) => {
  const { live, open } = openIn(t);
  const hoards = Array.from({ length: 2_000 }, (_, at) => open(`10.0.0.${Math.floor(at / 100)}`));
  assert.equal(live.size, 2_000);
  assert.ok(open("198.51.100.1"), "a slot is freed");
  assert.equal(live.size, 2_000);
  const reader = hoards[0]!.body!.getReader();
  await reader.read();
  assert.equal((await reader.read()).done, true, "the oldest view of the first line with most");
});

test("HUB-47: no slot is freed for a line that has as many live views, or one less", (t) => {
  const { live, open } = openIn(t);
  for (let at = 0; at < 1_952; at += 1) open(`10.0.0.${at % 40}`);
  const mine = Array.from({ length: 48 }, () => open("198.51.100.1"));
  assert.ok(mine.every((each) => each !== undefined));
  assert.equal(live.size, 2_000);
  assert.equal(open("198.51.100.1"), undefined, "the others have 49 at most");
  assert.equal(open("10.0.0.0"), undefined);
  assert.ok(open("203.0.113.1"), "who has none gets one");
  assert.equal(live.size, 2_000);
});

/** The address of a network of the site 2001:db8:1::/48. */
const inSite = (number: number): string => `2001:db8:1:${number.toString(16)}::1`;

test("TRK-23: all networks of an IPv6 site have the live views of sixteen addresses", async (t) => {
  const { open } = openIn(t);
  const mine = Array.from({ length: 1_700 }, (_, at) => open(inSite(at)));
  assert.equal(mine.filter((each) => each !== undefined).length, 1_600);
  assert.ok(open("2001:db8:2::1"), "another site");
  await mine[0]!.body!.cancel();
  assert.ok(open(inSite(5_000)), "a slot became free");
  assert.equal(open(inSite(5_001)), undefined);
});

test("TRK-23: when all slots are taken, a site with one view in each network gives one away", (t) => {
  const { live, open } = openIn(t);
  for (let at = 0; at < 1_960; at += 1) open(`10.0.${at >> 8}.${at & 255}`);
  for (let at = 0; at < 40; at += 1) open(inSite(at));
  assert.equal(live.size, 2_000);
  assert.ok(open("203.0.113.1"), "the site counts for two and a half");
  assert.equal(live.size, 2_000);
});
