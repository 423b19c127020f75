import assert from "node:assert/strict";
import { test } from "node:test";
import { LEAST_BYTES_PER_SECOND, SEAT_WINDOW_MS } from "../base/seat-rate.ts";
import { StreamSeats } from "./stream-seats.ts";

function seatsOf(limits: { readonly all: number; readonly perAddress: number }) {
  let now = 0;
  const seats = new StreamSeats(limits, { nowMs: () => now });
  const taken: string[] = [];
  return {
    take: (address: string, name = address) => seats.take(address, () => void taken.push(name)),
    /** Names of the holders whose seats were taken. */
    taken,
    pass: (ms: number) => void (now += ms),
  };
}

test("seats of one line are bounded: an IPv4 address, or all of an IPv6 /64", () => {
  for (const addressOf of [() => "192.0.2.1", (n: number) => `2001:db8::${n.toString(16)}`]) {
    const { take } = seatsOf({ all: 100, perAddress: 3 });
    const mine = Array.from({ length: 9 }, (_, index) => take(addressOf(index)));
    assert.equal(mine.filter((each) => each !== undefined).length, 3);
    assert.ok(take("2001:db8:0:1::1"));
    mine[0]!.leave();
    mine[0]!.leave();
    assert.ok(take(addressOf(7)), "a seat came free");
    assert.equal(take(addressOf(8)), undefined, "one seat, though it was given back twice");
  }
});

test("seats of all lines together are bounded", () => {
  const { take } = seatsOf({ all: 5, perAddress: 3 });
  const taken = Array.from({ length: 9 }, (_, index) => take(`192.0.2.${index}`));
  assert.equal(taken.filter((each) => each !== undefined).length, 5);
  taken[0]!.leave();
  assert.ok(take("192.0.2.99"));
});

test("HUB-47: when all seats are taken, slow holders make room, those of the line with most seats first", () => {
  const { take, taken, pass } = seatsOf({ all: 6, perAddress: 3 });
  const drips = [1, 2, 3].map((number) => take("192.0.2.1", `drip ${number}`)!);
  const slow = take("192.0.2.2", "slow")!;
  const fast = take("192.0.2.3", "fast")!;
  take("192.0.2.3", "fast too")!.leave();
  take("192.0.2.4", "short")!;
  assert.equal(take("192.0.2.5"), undefined, "a new seat is not judged yet");
  for (let second = 0; second < SEAT_WINDOW_MS / 1000; second += 1) {
    pass(1000);
    drips[0]!.count(10);
    drips[1]!.count(5);
    drips[2]!.count(20);
    slow.count(16_000);
    fast.count(2 * LEAST_BYTES_PER_SECOND);
  }
  assert.deepEqual(taken, [], "while no one waits, no one loses a seat");
  assert.ok(take("192.0.2.5", "new 5"));
  assert.deepEqual(taken, ["drip 2"]);
  drips[1]!.leave();
  assert.ok(take("192.0.2.6", "new 6"));
  assert.deepEqual(taken, ["drip 2", "drip 1"]);
  // Every line has one seat now. A line without a seat gets that of the slowest.
  assert.ok(take("192.0.2.7", "new 7"));
  assert.deepEqual(taken.slice(2), ["short"]);
  assert.equal(
    take("192.0.2.5", "second of 5"),
    undefined,
    "no seat is taken for a line that has one",
  );
  assert.ok(take("192.0.2.8"));
  assert.ok(take("192.0.2.9"));
  assert.deepEqual(taken.slice(3), ["drip 3", "slow"]);
  assert.equal(take("192.0.2.10"), undefined, "a fast holder stays, and so does a new one");
});

test("HUB-47: a holder that was fast once and is slow now loses its seat", () => {
  const { take, taken, pass } = seatsOf({ all: 1, perAddress: 1 });
  const seat = take("192.0.2.1")!;
  seat.count(1_000 * SEAT_WINDOW_MS);
  for (let second = 0; second < 45; second += 1) {
    pass(1000);
    seat.count(1);
  }
  assert.ok(take("192.0.2.2"));
  assert.deepEqual(taken, ["192.0.2.1"]);
});

/** The address of a network of the site 2001:db8:1::/48. */
const inSite = (number: number): string => `2001:db8:1:${number.toString(16)}::1`;

test("TRK-23: all networks of an IPv6 site have the seats of sixteen addresses", () => {
  const { take } = seatsOf({ all: 100, perAddress: 2 });
  const mine = Array.from({ length: 40 }, (_, at) => take(inSite(at)));
  assert.equal(mine.filter((each) => each !== undefined).length, 32);
  assert.ok(take("2001:db8:2::1"), "another site");
  mine[0]!.leave();
  assert.ok(take(inSite(99)), "a seat came free");
});

test("TRK-23: a site with one slow reader in each network makes room, before a line with one", () => {
  const { take, taken, pass } = seatsOf({ all: 41, perAddress: 16 });
  take("192.0.2.1", "slow");
  for (let at = 0; at < 40; at += 1) take(inSite(at), "site");
  pass(SEAT_WINDOW_MS + 1_000);
  assert.ok(take("192.0.2.2", "new"));
  assert.ok(take("192.0.2.3", "new"));
  assert.deepEqual(taken, ["site", "site"]);
});
