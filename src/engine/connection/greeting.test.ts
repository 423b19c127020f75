import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeHandshake, HANDSHAKE_BYTES } from "../../wire/handshake.ts";
import { Greeting, type DialledFor, type GreetingEvents } from "./greeting.ts";
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

/** A greeting that writes down what it asks for. */
function watch(
  findOwner: GreetingEvents["findOwner"],
  dialled?: DialledFor,
): { readonly log: string[]; readonly greeting: Greeting; readonly close: () => void } {
  const log: string[] = [];
  let closed = false;
  const greeting = new Greeting(dialled, {
    findOwner,
    send: (handshake) => log.push(`sent ${handshake.length}`),
    pauseReading: () => log.push("paused"),
    resumeReading: (held) => {
      log.push(`resumed ${held.length}`);
      greeting.feed(held, held.length);
    },
    handleGreeted: (rest) => log.push(`greeted, ${rest.length} behind`),
    close: (reason) => {
      closed = true;
      log.push(`closed: ${reason}`);
    },
    isClosed: () => closed,
  });
  return {
    log,
    greeting,
    close: () => {
      closed = true;
    },
  };
}

function feed(greeting: Greeting, ...chunks: readonly Uint8Array[]): void {
  for (const chunk of chunks) greeting.feed(chunk, chunk.length);
}

test("who asks for what is not here, or answers with another infohash, is closed", () => {
  const stranger = watch(() => undefined);
  feed(stranger.greeting, THEIRS);
  assert.deepEqual(stranger.log, ["closed: asked for a torrent that is not here"]);

  const other = encodeHandshake({ ...FLAGS, infohash: new Uint8Array(20), peerId: OURS });
  const dialled = watch(() => undefined, { owner, infohash: OURS });
  dialled.greeting.begin();
  feed(dialled.greeting, other);
  assert.deepEqual(dialled.log, ["sent 68", "closed: answered with another infohash"]);
  assert.equal(dialled.greeting.peerId, undefined);
});

test("who dials is answered after the infohash, before its peer id has come", () => {
  const { log, greeting } = watch(() => owner);
  feed(greeting, THEIRS.subarray(0, 47));
  assert.deepEqual(log, []);
  feed(greeting, THEIRS.subarray(47, 48));
  assert.deepEqual(log, ["sent 68"]);
  feed(greeting, THEIRS.subarray(48));
  assert.equal(log[1], "greeted, 0 behind");
  assert.deepEqual(greeting.peerId, THEIRS.slice(48));
});

for (const [name, cut] of [
  ["all of the handshake", HANDSHAKE_BYTES],
  ["the infohash only", 48],
] as const) {
  test(`while a torrent is being woken bytes are held back in order: after ${name}`, async () => {
    const { log, greeting } = watch(() => Promise.resolve(owner));
    feed(greeting, THEIRS.subarray(0, cut), THEIRS.subarray(cut), BEHIND);
    assert.deepEqual(log, ["paused"]);
    await Promise.resolve();
    const held = HANDSHAKE_BYTES - cut + BEHIND.length;
    assert.deepEqual(log.slice(1), ["sent 68", `resumed ${held}`, "greeted, 5 behind"]);
  });
}

test("who left while its torrent was being woken is told nothing", async () => {
  const { log, greeting, close } = watch(() => Promise.resolve(owner));
  feed(greeting, THEIRS);
  close();
  await Promise.resolve();
  assert.deepEqual(log, ["paused"]);
});
