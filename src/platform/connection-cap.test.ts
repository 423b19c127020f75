import assert from "node:assert/strict";
import { test } from "node:test";
import { LEAST_BYTES_PER_SECOND, SEAT_WINDOW_MS } from "../base/seat-rate.ts";
import { ConnectionCap } from "./connection-cap.ts";

const QUIET = { movedBytes: () => 0, cut: () => undefined };

function capOf(perAddress: number, crowded = Number.POSITIVE_INFINITY) {
  let now = 0;
  const cap = new ConnectionCap({ perAddress, crowded }, () => now);
  return { cap, pass: (ms: number) => void (now += ms) };
}

test("HUB-25: the connections of an address are limited, and other addresses have their own limit", () => {
  const { cap } = capOf(2);
  const first = cap.admit("203.0.113.9", QUIET);
  const second = cap.admit("203.0.113.9", QUIET);
  assert.ok(first && second);
  assert.equal(cap.admit("203.0.113.9", QUIET), undefined);
  assert.ok(cap.admit("203.0.113.8", QUIET));
  first();
  assert.ok(cap.admit("203.0.113.9", QUIET));
  assert.equal(cap.admit("203.0.113.9", QUIET), undefined);
});

test("HUB-25: an IPv6 line counts as one address, the next line as another", () => {
  const { cap } = capOf(1);
  assert.ok(cap.admit("2001:db8:1:2::1", QUIET));
  assert.equal(cap.admit("2001:db8:1:2:ffff::9", QUIET), undefined);
  assert.ok(cap.admit("2001:db8:1:3::1", QUIET));
});

test("ended connections are forgotten", () => {
  const { cap } = capOf(5);
  const ends = Array.from({ length: 5 }, () => cap.admit("203.0.113.9", QUIET));
  for (const end of ends) end?.();
  assert.equal(cap.size, 0);
});

test("HUB-47: when very many are open, each new one evicts one that moves next to nothing", () => {
  const { cap, pass } = capOf(100, 36);
  const cut: string[] = [];
  const open = (address: string, name: string, bytesPerSecond: number) => {
    let moved = 0;
    const end = cap.admit(address, {
      movedBytes: () => moved,
      cut: () => {
        cut.push(name);
        end!();
      },
    });
    assert.ok(end);
    return () => void (moved += bytesPerSecond);
  };
  const moves = [
    // Two of the 12 connections are honest and fast.
    ...Array.from({ length: 10 }, (_, at) => open("203.0.113.9", `drip ${at}`, 10 - at)),
    ...[1, 2].map((at) => open("203.0.113.9", `fast ${at}`, 2 * LEAST_BYTES_PER_SECOND)),
    // A browser with live pages, and an office with slow connections.
    ...[1, 2, 3].map((at) => open("203.0.113.8", `page ${at}`, 0)),
    ...Array.from({ length: 9 }, (_, at) => open("203.0.113.7", `office ${at}`, 100 + at)),
    // A school that downloads: it has many connections, and none is slow.
    ...Array.from({ length: 12 }, (_, at) =>
      open("203.0.113.6", `school ${at}`, LEAST_BYTES_PER_SECOND + at),
    ),
  ];
  open("203.0.113.1", "too early", 0);
  assert.deepEqual(cut, [], "a new connection is not judged yet");
  for (let second = 0; second < SEAT_WINDOW_MS / 1000; second += 1) {
    pass(1000);
    for (const move of moves) move();
  }
  for (let number = 0; number < 12; number += 1) open(`203.0.112.${number}`, `new ${number}`, 0);
  // Lines with up to eight connections and fast connections are left alone.
  assert.deepEqual(cut, ["drip 9", "drip 8", "drip 7", "drip 6", "office 0"]);
});

/** The address of a network of the site 2001:db8:1::/48. */
const inSite = (number: number): string => `2001:db8:1:${number.toString(16)}::1`;

test("TRK-23: all networks of an IPv6 site have the connections of sixteen addresses", () => {
  const { cap } = capOf(2);
  const ends = Array.from({ length: 40 }, (_, at) => cap.admit(inSite(at), QUIET));
  assert.equal(ends.filter((end) => end !== undefined).length, 32);
  assert.ok(cap.admit("2001:db8:2::1", QUIET), "another site");
  ends[0]!();
  assert.ok(cap.admit(inSite(99), QUIET), "one ended");
});

test("TRK-23: when very many are open, a site with one connection in each network makes room", () => {
  const { cap, pass } = capOf(100, 200);
  let cut = 0;
  for (let at = 0; at < 200; at += 1) {
    const end = cap.admit(inSite(at), {
      movedBytes: () => 0,
      cut: () => void (end!(), (cut += 1)),
    });
    assert.ok(end);
  }
  pass(SEAT_WINDOW_MS);
  for (let at = 0; at < 3; at += 1) assert.ok(cap.admit(`192.0.2.${at}`, QUIET));
  assert.equal(cut, 3);
});
