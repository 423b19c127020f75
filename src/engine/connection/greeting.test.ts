import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeHandshake, HANDSHAKE_BYTES } from "../../wire/handshake.ts";
import { Greeting, type GreetingStep } from "./greeting.ts";
import type { ConnectionOwner } from "./connection-sink.ts";

const FLAGS = { extended: true, fast: true, dht: false, v2: false };
const OURS = new Uint8Array(20).fill(1);
const THEIRS = encodeHandshake({ ...FLAGS, infohash: OURS, peerId: new Uint8Array(20).fill(2) });
const BEHIND = Uint8Array.of(0, 0, 0, 1, 1);

const owner: ConnectionOwner = {
  flags: FLAGS,
  peerId: new Uint8Array(20).fill(3),
  accepts: (infohash) => infohash[0] === 1,
  answerTo: (infohash) => infohash,
};

function feed(greeting: Greeting, chunk: Uint8Array): GreetingStep {
  return greeting.feed(chunk, chunk.length);
}

test("a peer that answers with another infohash is refused", () => {
  const greeting = new Greeting({ owner, infohash: OURS });
  assert.equal(greeting.begin()?.length, HANDSHAKE_BYTES);
  const other = encodeHandshake({ ...FLAGS, infohash: new Uint8Array(20), peerId: OURS });
  assert.deepEqual(feed(greeting, other), {
    kind: "refused",
    reason: "answered with another infohash",
  });
  assert.equal(greeting.peerId, undefined);
});

test("a peer that we dial is greeted first", () => {
  const greeting = new Greeting({ owner, infohash: OURS });
  assert.equal(greeting.begin()?.length, HANDSHAKE_BYTES);
  assert.deepEqual(feed(greeting, THEIRS.subarray(0, 48)), { kind: "incomplete" });
  const step = feed(greeting, Uint8Array.of(...THEIRS.subarray(48), ...BEHIND));
  assert.deepEqual(step, { kind: "greeted", rest: BEHIND });
});

test("a peer that dials us learns the answer to its infohash before its peer id has arrived", () => {
  const greeting = new Greeting(undefined);
  assert.equal(greeting.begin(), undefined);
  assert.deepEqual(feed(greeting, THEIRS.subarray(0, 47)), { kind: "incomplete" });
  const asked = feed(greeting, THEIRS.subarray(47, 48));
  assert.deepEqual(asked, { kind: "asked", infohash: OURS, rest: new Uint8Array(0) });
  assert.equal(greeting.answer(owner, OURS).length, HANDSHAKE_BYTES);
  assert.deepEqual(greeting.proceed(new Uint8Array(0)), { kind: "incomplete" });
  assert.equal(feed(greeting, THEIRS.subarray(48)).kind, "greeted");
  assert.deepEqual(greeting.peerId, THEIRS.slice(48));
});

for (const [name, cut] of [
  ["all of the handshake", HANDSHAKE_BYTES],
  ["the infohash only", 48],
] as const) {
  test(`while a torrent is being woken bytes are held back in order: after ${name}`, () => {
    const greeting = new Greeting(undefined);
    const asked = feed(greeting, THEIRS.subarray(0, cut));
    assert.equal(asked.kind, "asked");
    if (asked.kind === "asked") greeting.hold(asked.rest);
    greeting.hold(THEIRS.subarray(cut));
    greeting.hold(BEHIND);
    greeting.answer(owner, OURS);
    const held = greeting.takeHeld();
    assert.equal(held.length, HANDSHAKE_BYTES - cut + BEHIND.length);
    assert.deepEqual(feed(greeting, held), { kind: "greeted", rest: BEHIND });
    assert.equal(greeting.takeHeld().length, 0);
  });
}
