import assert from "node:assert/strict";
import { test } from "node:test";
import { tcpAddress } from "../../base/peer-address.ts";
import { SILENT_LOG } from "../../ports/log.ts";
import type { StreamConnection } from "../../ports/net.ts";
import type { DecoratorStep, StreamCipher, StreamDecorator } from "../stream-decorator.ts";
import { DecoratedStream } from "./decorated-stream.ts";

const KIB = 1024;

/** A stream that accepts as many bytes as the test allows. */
class Lower implements StreamConnection {
  readonly remote = tcpAddress({ address: "10.0.0.2", port: 6881 });
  readonly local = undefined;
  readonly written: Uint8Array[] = [];
  bufferedBytes = 0;
  unacked = 0;
  isPaused = false;
  readonly datagramBytesMax = 8972;
  readonly allowed: number[] = [];

  allowDatagrams(bytesMax: number): void {
    this.allowed.push(bytesMax);
  }

  unackedBytes(): number | undefined {
    return this.unacked;
  }

  write(bytes: Uint8Array): void {
    this.written.push(bytes);
    this.bufferedBytes += bytes.length;
    this.unacked += bytes.length;
  }

  /** The system accepts bytes. */
  take(bytes: number, stream: DecoratedStream): number {
    this.bufferedBytes -= bytes;
    return stream.handleSent(bytes);
  }

  pauseReading(): void {
    this.isPaused = true;
  }

  resumeReading(): void {
    this.isPaused = false;
  }

  destroy(): void {}
}

/** Each part goes out after a head of ten bytes. */
class Headed implements StreamCipher {
  readonly parts: number[] = [];
  readonly left: Uint8Array[] = [];
  #taken: Uint8Array | undefined;

  encode(bytes: Uint8Array): Uint8Array {
    this.parts.push(bytes.length);
    const framed = new Uint8Array(10 + bytes.length);
    framed.set(bytes, 10);
    return framed;
  }

  handleLeft(encoded: Uint8Array): void {
    this.left.push(encoded);
  }

  feed(chunk: Uint8Array, length: number): void {
    this.#taken = chunk.subarray(0, length);
  }

  next(): Uint8Array | undefined {
    const taken = this.#taken;
    this.#taken = undefined;
    return taken;
  }
}

function makeStream(negotiate: StreamDecorator["negotiate"], held?: Uint8Array) {
  const lower = new Lower();
  const outcomes: (() => void)[] = [];
  const stream = new DecoratedStream({
    lower,
    decorator: { negotiate },
    held,
    onStep: (outcome) => outcomes.push(outcome),
    log: SILENT_LOG,
  });
  return { lower, stream, outcomes };
}

const readyWith = (cipher: StreamCipher | undefined, consumed = 0): DecoratorStep => ({
  kind: "ready",
  consumed,
  cipher,
});

const textOf = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString();
const bytesOf = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));

test("lent memory is returned when the system has accepted its encoded form, to the exact byte", () => {
  const cipher = new Headed();
  const { lower, stream } = makeStream(() => readyWith(cipher));
  stream.begin();
  stream.write(new Uint8Array(100));
  stream.write(new Uint8Array(50));
  assert.equal(stream.bufferedBytes, 150);
  assert.equal(lower.take(109, stream), 0, "the first is not whole");
  assert.equal(lower.take(1, stream), 100);
  assert.equal(lower.take(60, stream), 50);
  assert.equal(stream.bufferedBytes, 0);
});

test("a cipher gets its memory back when the system has accepted all of it, oldest first", () => {
  const cipher = new Headed();
  const { lower, stream } = makeStream(() => readyWith(cipher));
  stream.begin();
  stream.write(new Uint8Array(100));
  stream.write(new Uint8Array(50));
  const [first, second] = lower.written;
  lower.take(109, stream);
  assert.deepEqual(cipher.left, []);
  lower.take(1, stream);
  assert.equal(cipher.left.length, 1);
  assert.equal(cipher.left[0], first);
  lower.take(60, stream);
  assert.equal(cipher.left[1], second);
});

test("what datagrams may hold is a matter of the stream below", () => {
  const { lower, stream } = makeStream(() => readyWith(new Headed()));
  stream.begin();
  assert.equal(stream.datagramBytesMax, 8972);
  stream.allowDatagrams(5000);
  assert.deepEqual(lower.allowed, [5000]);
});

test("encoding runs a limited distance ahead of the system; the rest waits unencoded", () => {
  const cipher = new Headed();
  const { lower, stream } = makeStream(() => readyWith(cipher));
  stream.begin();
  stream.write(new Uint8Array(1024 * KIB));
  assert.deepEqual(cipher.parts, [64 * KIB, 64 * KIB]);
  assert.equal(stream.bufferedBytes, 1024 * KIB);
  let freed = 0;
  while (lower.bufferedBytes > 0) {
    assert.ok(lower.bufferedBytes <= 192 * KIB);
    freed += lower.take(Math.min(lower.bufferedBytes, 48 * KIB), stream);
  }
  assert.equal(freed, 1024 * KIB);
  assert.equal(stream.bufferedBytes, 0);
  assert.equal(Math.max(...cipher.parts), 64 * KIB);
});

test("unacknowledged bytes are those that wait, plus those of the stream below", () => {
  const { lower, stream } = makeStream(() => readyWith(new Headed()));
  stream.begin();
  stream.write(new Uint8Array(300 * KIB));
  lower.take(lower.bufferedBytes, stream);
  const before = stream.unackedBytes()!;
  assert.ok(before >= 300 * KIB);
  lower.unacked -= 1_000;
  assert.equal(stream.unackedBytes(), before - 1_000);
});

test("bytes that were written before the decorator began leave unchanged, and are counted", () => {
  const lower = new Lower();
  lower.write(new Uint8Array(68));
  const decorator: StreamDecorator = { negotiate: () => readyWith(new Headed()) };
  const stream = new DecoratedStream({
    lower,
    decorator,
    onStep: () => undefined,
    log: SILENT_LOG,
  });
  stream.begin();
  stream.write(new Uint8Array(5));
  assert.equal(stream.bufferedBytes, 73);
  assert.equal(lower.take(60, stream), 60);
  assert.equal(lower.take(23, stream), 13);
});

test("a message may carry the first bytes; the decorator's own bytes do not count", () => {
  const { lower, stream } = makeStream((_received, wire) => {
    wire.send(bytesOf("key"));
    const carried = wire.takeWritten(3);
    wire.send(bytesOf(`<${textOf(carried)}>`));
    return readyWith(new Headed());
  });
  stream.write(bytesOf("hello"));
  stream.begin();
  assert.deepEqual(lower.written.slice(0, 2).map(textOf), ["key", "<hel>"]);
  assert.equal(lower.take(3 + 4, stream), 0);
  assert.equal(lower.take(1, stream), 3);
  assert.equal(lower.take(12, stream), 2);
});

test("held bytes go out with the decorator's first bytes, or when it is ready", () => {
  const { lower, stream } = makeStream(
    (received) =>
      received.length === 0 ? { kind: "more", consumed: 0 } : readyWith(undefined, received.length),
    bytesOf("handshake"),
  );
  stream.begin();
  assert.deepEqual(lower.written, []);
  stream.feed(bytesOf("x"), 1);
  assert.deepEqual(lower.written.map(textOf), ["handshake"]);
  assert.ok(!stream.isNeedless, "it has to count what it has said");
  assert.equal(lower.take(9, stream), 0);
  assert.ok(stream.isNeedless);
});

test("without a cipher bytes pass unchanged in both directions, and early ones come first", () => {
  const { lower, stream } = makeStream((received) => ({
    kind: "ready",
    consumed: 2,
    early: received.slice(0, 1),
  }));
  stream.feed(bytesOf("abcd"), 4);
  assert.ok(!stream.isNeedless, "there is something to hand on");
  assert.equal(textOf(stream.next()), "a");
  assert.equal(textOf(stream.next()), "cd");
  assert.equal(stream.next(), undefined);
  assert.ok(stream.isNeedless);
  const block = bytesOf("block");
  stream.write(block);
  assert.equal(lower.written[0]?.buffer, block.buffer, "not copied");
  assert.ok(stream.isNeedless);
});

test("while the decorator works nothing is read; bytes that arrived meanwhile belong to the negotiation", async () => {
  const seen: string[] = [];
  const work = Promise.withResolvers<DecoratorStep>();
  const { lower, stream, outcomes } = makeStream((received) => {
    seen.push(textOf(received));
    if (seen.length === 1) return work.promise;
    return received.length < 3 ? { kind: "more", consumed: 0 } : readyWith(undefined, 3);
  });
  stream.feed(bytesOf("ab"), 2);
  assert.ok(lower.isPaused);
  stream.feed(bytesOf("cde"), 3);
  assert.deepEqual(seen, ["ab"]);
  work.resolve({ kind: "more", consumed: 1 });
  await work.promise;
  for (const outcome of outcomes) outcome();
  assert.ok(!lower.isPaused);
  assert.deepEqual(seen, ["ab", "bcde"]);
  assert.equal(textOf(stream.next()), "e");
});

test("what a step left is negotiated about at once: a peer may have sent everything together", async () => {
  const seen: string[] = [];
  const { stream, outcomes } = makeStream((received) => {
    seen.push(textOf(received));
    if (seen.length === 1) return Promise.resolve({ kind: "more", consumed: 3 });
    return readyWith(undefined, 4);
  });
  stream.feed(bytesOf("keyproof and more"), 17);
  await Promise.resolve();
  for (const outcome of outcomes.splice(0)) outcome();
  assert.deepEqual(seen, ["keyproof and more", "proof and more"]);
  assert.equal(textOf(stream.next()), "f and more");
});

test("a pause by its owner outlasts its own pause", async () => {
  const { lower, stream, outcomes } = makeStream(() => Promise.resolve(readyWith(undefined)));
  stream.begin();
  stream.pauseReading();
  await Promise.resolve();
  for (const outcome of outcomes) outcome();
  assert.ok(stream.isReady);
  assert.ok(lower.isPaused);
  stream.resumeReading();
  assert.ok(!lower.isPaused);
});

test("work that finishes after the end has no effect", async () => {
  const { lower, stream, outcomes } = makeStream((_received, wire) =>
    Promise.resolve().then(() => {
      wire.send(bytesOf("late"));
      return readyWith(undefined);
    }),
  );
  stream.begin();
  stream.end();
  await Promise.resolve();
  await Promise.resolve();
  for (const outcome of outcomes) outcome();
  assert.ok(!stream.isReady);
  assert.deepEqual(lower.written, []);
});
