import assert from "node:assert/strict";
import { test } from "node:test";
import { tcpAddress, type PeerAddress } from "../../base/peer-address.ts";
import { Introducers } from "./introducers.ts";

function place(number: number): PeerAddress {
  return tcpAddress({ address: `9.9.${number >>> 8}.${number & 0xff}`, port: 6881 });
}

test("whoever names an address is its introducer, over every transport, until it retracts or leaves", () => {
  const introducers = new Introducers<string>();
  introducers.note("a", [place(1), place(2)]);
  introducers.note("b", [place(1)]);
  const first = place(1);
  if (first.kind === "webrtc") assert.fail("it has an endpoint");
  assert.deepEqual(introducers.of({ kind: "utp", endpoint: first.endpoint }), ["a", "b"]);
  introducers.retract("a", [place(1)]);
  introducers.retract("c", [place(1)]);
  assert.deepEqual(introducers.of(place(1)), ["b"]);
  introducers.leave("b");
  assert.deepEqual(introducers.of(place(1)), []);
  assert.deepEqual(introducers.of(place(2)), ["a"]);
  introducers.clear();
  assert.deepEqual(introducers.of(place(2)), []);
});

test("WIR-11: of one peer the two hundred newest addresses are kept", () => {
  const introducers = new Introducers<string>();
  introducers.note("b", [place(0)]);
  introducers.note(
    "a",
    Array.from({ length: 300 }, (_, number) => place(number)),
  );
  introducers.note("a", [place(150), place(301)]);
  assert.deepEqual(introducers.of(place(100)), [], "the oldest went");
  for (const number of [101, 150, 299, 301]) assert.deepEqual(introducers.of(place(number)), ["a"]);
  assert.deepEqual(introducers.of(place(0)), ["b"], "and nobody else's");
});
