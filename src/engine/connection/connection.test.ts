import assert from "node:assert/strict";
import { test } from "node:test";
import { tcpAddress } from "../../base/peer-address.ts";
import type { Clock } from "../../ports/clock.ts";
import { SILENT_LOG } from "../../ports/log.ts";
import type { StreamConnection } from "../../ports/net.ts";
import { encodeHandshake, HANDSHAKE_BYTES } from "../../wire/handshake.ts";
import { boundsOf } from "../../wire/piece-bounds.ts";
import { Connection } from "./connection.ts";
import type { ConnectionSink } from "./connection-sink.ts";

const FLAGS = { extended: false, fast: true, dht: false, v2: false };
const INFOHASH = new Uint8Array(20).fill(1);
const PEER_ID = new Uint8Array(20).fill(2);
const THEIRS = encodeHandshake({ ...FLAGS, infohash: INFOHASH, peerId: PEER_ID });

/** A stream that records the calls it receives. */
class Wire implements StreamConnection {
  readonly remote = tcpAddress({ address: "10.0.0.2", port: 6881 });
  readonly local = undefined;
  readonly bufferedBytes = 0;
  readonly log: string[] = [];

  unackedBytes(): undefined {
    return undefined;
  }

  write(bytes: Uint8Array): void {
    this.log.push(`wrote ${bytes.length}`);
  }

  pauseReading(): void {
    this.log.push("paused");
  }

  resumeReading(): void {
    this.log.push("resumed");
  }

  destroy(): void {
    this.log.push("destroyed");
  }
}

class World {
  readonly wire = new Wire();
  readonly strays: string[] = [];
  readonly connection: Connection;
  readonly awake = Promise.withResolvers<boolean>();

  constructor() {
    this.connection = new Connection({
      clock: { nowMs: () => 1 } as Clock,
      bursts: { begin: () => undefined, end: () => undefined },
      connect: () => this.wire,
      decorating: { timeoutMs: 10_000, log: SILENT_LOG },
      gate: {
        admit: () => this.awake.promise,
        handleStray: (_connection, reason) => this.strays.push(reason),
      },
    });
  }

  async wake(sink: Partial<ConnectionSink> | undefined): Promise<void> {
    if (sink) this.connection.adopt(sink as ConnectionSink);
    this.awake.resolve(sink !== undefined);
    await this.awake.promise;
  }
}

function owner(ready: () => string | undefined): Partial<ConnectionSink> {
  return {
    owner: {
      flags: FLAGS,
      peerId: new Uint8Array(20).fill(3),
      accepts: () => true,
      answerTo: (infohash) => infohash,
    },
    bounds: boundsOf(8),
    numbering: "pieces",
    handleReady: ready,
    handleClosed: () => undefined,
    handleGathered: () => undefined,
    settle: () => undefined,
  };
}

test("while its torrent is being woken nothing is read; then the connection continues where it was", async () => {
  const world = new World();
  world.connection.handleBytes(THEIRS, HANDSHAKE_BYTES);
  assert.deepEqual(world.wire.log, ["paused"]);
  await world.wake(owner(() => undefined));
  assert.deepEqual(world.wire.log, ["paused", "resumed"]);
  assert.ok(world.connection.isOpen);
  world.connection.out.flush();
  assert.deepEqual(world.wire.log.slice(2), [`wrote ${HANDSHAKE_BYTES}`]);
});

test("a peer that left while its torrent was being woken gets no answer", async () => {
  const world = new World();
  world.connection.handleBytes(THEIRS, HANDSHAKE_BYTES);
  world.connection.handleClose(undefined);
  await world.wake(owner(() => assert.fail("it is gone")));
  world.connection.out.flush();
  assert.deepEqual(world.wire.log, ["paused"]);
});

test("a peer that asks for an unknown torrent is closed", async () => {
  const world = new World();
  world.connection.handleBytes(THEIRS, HANDSHAKE_BYTES);
  await world.wake(undefined);
  assert.deepEqual(world.wire.log, ["paused", "destroyed"]);
  assert.deepEqual(world.strays, ["asked for a torrent that is not here"]);
});

test("bytes after the handshake of a refused peer are ignored", async () => {
  const world = new World();
  const unchoke = Uint8Array.of(0, 0, 0, 1, 1);
  const bytes = Uint8Array.of(...THEIRS, ...unchoke);
  world.connection.handleBytes(bytes, bytes.length);
  await world.wake({
    ...owner(() => "connected already"),
    handleChoke: () => assert.fail("it is closed"),
  });
  assert.deepEqual(world.wire.log, ["paused", "resumed", "destroyed"]);
  assert.ok(!world.connection.isOpen);
});

test("a decorator that is never done ends its connection when its time is over", () => {
  const wire = new Wire();
  const strays: string[] = [];
  const timers: { delayMs: number; fire: () => void }[] = [];
  const connection = new Connection({
    clock: {
      nowMs: () => 1,
      wallMs: () => 1,
      startTimer: (delayMs, fire) => {
        timers.push({ delayMs, fire });
        return { cancel: () => undefined };
      },
    },
    bursts: { begin: () => undefined, end: () => undefined },
    connect: () => wire,
    gate: {
      admit: () => assert.fail("nothing was asked for"),
      handleStray: (_connection, reason) => strays.push(reason),
    },
    decorating: { timeoutMs: 7_000, log: SILENT_LOG },
    decorator: { negotiate: () => ({ kind: "more", consumed: 0 }) },
  });
  connection.handleBytes(THEIRS, HANDSHAKE_BYTES);
  assert.deepEqual(strays, []);
  assert.deepEqual(
    timers.map(({ delayMs }) => delayMs),
    [7_000],
  );
  timers[0]!.fire();
  assert.deepEqual(strays, ["its stream was not decorated in time"]);
  assert.deepEqual(wire.log, ["destroyed"]);
});
