import assert from "node:assert/strict";
import { test } from "node:test";
import { StreamSeats } from "./stream-seats.ts";

test("seats of one line are bounded: an IPv4 address, or all of an IPv6 /64", () => {
  for (const addressOf of [() => "192.0.2.1", (n: number) => `2001:db8::${n.toString(16)}`]) {
    const seats = new StreamSeats({ all: 100, perAddress: 3 });
    const mine = Array.from({ length: 9 }, (_, index) => seats.take(addressOf(index)));
    assert.equal(mine.filter((each) => each !== undefined).length, 3);
    assert.ok(seats.take("2001:db8:0:1::1"));
    mine[0]!();
    mine[0]!();
    assert.ok(seats.take(addressOf(7)), "a seat came free");
    assert.equal(seats.take(addressOf(8)), undefined, "one seat, though it was given back twice");
  }
});

test("seats of all lines together are bounded", () => {
  const seats = new StreamSeats({ all: 5, perAddress: 3 });
  const taken = Array.from({ length: 9 }, (_, index) => seats.take(`192.0.2.${index}`));
  assert.equal(taken.filter((each) => each !== undefined).length, 5);
  taken[0]!();
  assert.ok(seats.take("192.0.2.99"));
});
