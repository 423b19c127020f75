import assert from "node:assert/strict";
import { test } from "node:test";
import { concatBytes, fromHex, fromLatin1, toHex } from "../base/bytes.ts";
import type { DecoratorStep, StreamDecorator } from "../engine/stream-decorator.ts";
import type { Random } from "../ports/random.ts";
import { seededRandom } from "../sim/seeded-random.ts";
import { SimKeyExchange } from "../sim/sim-key-exchange.ts";
import { Simulation } from "../sim/simulation.ts";
import { Dialler } from "./dialler.ts";
import { ExchangeTurns } from "./exchange-turns.ts";
import { Listener } from "./listener.ts";
import { maskTorrentMark, streamsOf, syncMark, torrentMark } from "./mse-keys.ts";
import { PLAIN_START } from "./plain-start.ts";
import { SentMemory } from "./sent-memory.ts";

const EXCHANGE = new SimKeyExchange();
const INFOHASH = new Uint8Array(20).fill(0xaa);
const SECRET = fromHex(
  "ef037082d79ae7baeddb00b3ba4f24ec8a79c06c927258e89e01c46f8249187e672c919b9ff29abeb97fd230f6302fb1" +
    "21a5bad27c4c34e48722446a121d5e213b13e9eeb6dd23716be80c8a1cf31af29589c5245e74b3b8713d6b229ce05731",
)!;
const EARLY = fromLatin1("the handshake");
const PLAIN = 1;
const RC4 = 2;
const BOTH = 3;

/** Chance, but for the lengths of pads. */
function randomWithPads(pads: readonly number[]): Random {
  const left = [...pads];
  const random = seededRandom(3);
  return {
    bytes: (length) => random.bytes(length),
    below: (bound) => left.shift() ?? random.below(bound),
  };
}

/** One side of a negotiation that a test drives. */
class Side {
  readonly sent: Uint8Array[] = [];
  readonly #decorator: StreamDecorator;
  #received: Uint8Array = new Uint8Array(0);
  step: DecoratorStep = { kind: "more", consumed: 0 };

  constructor(decorator: StreamDecorator) {
    this.#decorator = decorator;
  }

  feed(bytes: Uint8Array): void {
    this.#received = concatBytes([this.#received, bytes]);
    const step = this.#decorator.negotiate(this.#received, {
      send: (part) => void this.sent.push(part),
      takeWritten: () => EARLY,
    });
    assert.ok(!(step instanceof Promise));
    this.step = step;
    if (step.kind !== "refused") this.#received = this.#received.slice(step.consumed);
  }

  take(): Uint8Array {
    return concatBytes(this.sent.splice(0));
  }

  /** What came and is no part of the negotiation. */
  get rest(): Uint8Array {
    return this.#received;
  }

  get ready(): DecoratorStep & { kind: "ready" } {
    const { step } = this;
    assert.ok(step.kind === "ready");
    return step;
  }
}

interface Pair {
  readonly dialler?: number;
  readonly listener?: number;
  readonly pads?: readonly number[];
  readonly infohashes?: readonly Uint8Array[];
  readonly allowsPlainStart?: boolean;
}

function makePair(pair: Pair = {}) {
  const turns = new ExchangeTurns(new Simulation());
  // The dialler draws the pads A and C, the listener B and D.
  const [a, b, c, d] = pair.pads ?? [7, 7, 7, 7];
  const events: string[] = [];
  const parts = { exchange: EXCHANGE, turns, memory: new SentMemory() };
  const dialler = new Dialler({
    parts: { ...parts, random: randomWithPads([a!, c!]) },
    network: "a",
    infohash: INFOHASH,
    methods: pair.dialler ?? BOTH,
    onReady: () => events.push("ready"),
  });
  const infohashes = pair.infohashes ?? [INFOHASH];
  const listener = new Listener({
    parts: { ...parts, random: randomWithPads([b!, d!]) },
    network: "b",
    methods: pair.listener ?? BOTH,
    allowsPlainStart: pair.allowsPlainStart ?? true,
    findByMark: (mark) => infohashes.find((known) => toHex(torrentMark(known)) === toHex(mark)),
  });
  return { dialler: new Side(dialler), listener: new Side(listener), events };
}

/** Carries bytes to and fro, each time at most so many, until both sides rest. */
function run({ dialler, listener }: ReturnType<typeof makePair>, bytesMax = Infinity): void {
  dialler.feed(new Uint8Array(0));
  for (;;) {
    const toListener = dialler.take();
    const toDialler = listener.take();
    if (toListener.length + toDialler.length === 0) return;
    for (const [bytes, side] of [
      [toListener, listener],
      [toDialler, dialler],
    ] as const) {
      for (let at = 0; at < bytes.length; at += bytesMax) {
        if (side.step.kind === "more") side.feed(bytes.subarray(at, at + bytesMax));
      }
    }
  }
}

test("marks, keys and key streams are those of the vectors", () => {
  assert.equal(toHex(syncMark(SECRET)), "32dd7e3b16e8d7a1b444ea3f4167e202514f9feb");
  assert.equal(
    toHex(maskTorrentMark(torrentMark(INFOHASH), SECRET)),
    "f770bd1f0311a36eeb8902bcf57d003c1963a435",
  );
  const { dialler, listener } = streamsOf(SECRET, INFOHASH);
  assert.equal(toHex(dialler.keystream(16)), "9c4d2fe499f8f0af9c3219454fc94990");
  assert.equal(toHex(listener.keystream(16)), "f27fd82f8ee22362d1dbd7ff78e6c3fe");
});

for (const pads of [
  [0, 0, 0, 0],
  [1, 1, 1, 1],
  [511, 511, 511, 511],
  [512, 512, 512, 512],
  [0, 512, 0, 512],
  [512, 0, 512, 0],
]) {
  for (const bytesMax of [Infinity, 97, 1]) {
    test(`pads of ${pads.join(", ")} bytes, at most ${bytesMax} bytes at once: both sides agree`, () => {
      const pair = makePair({ pads, dialler: RC4 });
      run(pair, bytesMax);
      const { dialler, listener } = pair;
      assert.deepEqual(listener.ready.early, EARLY);
      assert.deepEqual(listener.ready.infohash, INFOHASH);
      assert.deepEqual(pair.events, ["ready"]);
      assert.equal(dialler.rest.length + listener.rest.length, 0);
      for (const [from, to] of [
        [dialler, listener],
        [listener, dialler],
      ] as const) {
        const encrypted = from.ready.cipher!.encode(fromLatin1("some words"));
        assert.notDeepEqual(encrypted, fromLatin1("some words"));
        to.ready.cipher!.feed(encrypted, encrypted.length);
        assert.deepEqual(to.ready.cipher!.next(), fromLatin1("some words"));
      }
    });
  }
}

for (const [offered, allowed, method] of [
  [PLAIN, PLAIN, "header"],
  [PLAIN, RC4, "wrong"],
  [PLAIN, BOTH, "header"],
  [RC4, PLAIN, "wrong"],
  [RC4, RC4, "rc4"],
  [RC4, BOTH, "rc4"],
  [BOTH, PLAIN, "header"],
  [BOTH, RC4, "rc4"],
  [BOTH, BOTH, "header"],
  [0, BOTH, "wrong"],
] as const) {
  test(`WIR-19: methods ${offered} are offered and ${allowed} allowed: ${method}`, () => {
    const pair = makePair({ dialler: offered, listener: allowed });
    if (method === "wrong") {
      assert.throws(() => run(pair), /offers the methods/);
      return;
    }
    run(pair);
    for (const { ready } of [pair.dialler, pair.listener]) {
      assert.equal(ready.encryption, method);
      assert.equal(ready.cipher !== undefined, method === "rc4");
    }
    assert.deepEqual(pair.listener.ready.early, EARLY);
  });
}

test("a peer that asks for another torrent gets no answer to that", () => {
  const pair = makePair({ infohashes: [new Uint8Array(20).fill(0xab)] });
  run(pair);
  assert.equal(pair.listener.step.kind, "refused");
  assert.equal(pair.dialler.step.kind, "more");
});

const PRIME_LESS_1 = fromHex(
  "ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74020bbea63b139b22514a08798e3404dd" +
    "ef9519b3cd3a431b302b0a6df25f14374fe1356d6d51c245e485b576625e7ec6f44c42e9a63a36210000000000090562",
)!;
const number = (last: number): Uint8Array => new Uint8Array(96).fill(last, -1);
for (const [name, key] of [
  ["0", number(0)],
  ["1", number(1)],
  ["the prime less 1", PRIME_LESS_1],
  ["the prime", PRIME_LESS_1.map((byte, at) => (at === 95 ? 0x63 : byte))],
  ["more than the prime", new Uint8Array(96).fill(0xff)],
] as const) {
  test(`WIR-19: the public key ${name} is refused by both sides`, () => {
    const { dialler, listener } = makePair();
    assert.throws(() => listener.feed(key), /hides nothing/);
    dialler.feed(new Uint8Array(0));
    assert.throws(() => dialler.feed(key), /hides nothing/);
  });
}

test("the largest and the smallest sound keys are taken", () => {
  for (const key of [number(2), PRIME_LESS_1.map((byte, at) => (at === 95 ? 0x61 : byte))]) {
    const { listener } = makePair();
    listener.feed(key);
    assert.equal(listener.step.kind, "more");
  }
});

test("WIR-19: the search behind a pad ends after 512 bytes and the mark, on both sides", () => {
  const { dialler, listener } = makePair();
  dialler.feed(new Uint8Array(0));
  const sound = new Uint8Array(96).fill(3);
  for (const [side, markBytes] of [
    [dialler, 8],
    [listener, 20],
  ] as const) {
    side.feed(sound);
    side.feed(new Uint8Array(512 + markBytes - 1));
    assert.equal(side.step.kind, "more");
    assert.throws(() => side.feed(new Uint8Array(1)), /does not come/);
  }
});

/** The third message by hand, with everything that may be wrong in it. */
function thirdMessage(publicKey: Uint8Array, hidden: Uint8Array): Uint8Array {
  const secret = EXCHANGE.sharedSecret(new Uint8Array(20).fill(0x11), publicKey);
  const encrypted = new Uint8Array(hidden.length);
  streamsOf(secret, INFOHASH).dialler.apply(hidden, encrypted);
  return concatBytes([syncMark(secret), maskTorrentMark(torrentMark(INFOHASH), secret), encrypted]);
}

function sendByHand(hidden: string, bytes = 0): Side {
  const { listener } = makePair({ pads: [0, 0, 0, 0] });
  listener.feed(EXCHANGE.publicKey(new Uint8Array(20).fill(0x11)));
  const whole = concatBytes([fromHex(hidden)!, new Uint8Array(bytes)]);
  listener.feed(thirdMessage(listener.take(), whole));
  return listener;
}

test("WIR-19: a wrong proof, no method and too long a pad are refused; the longest pad is not", () => {
  assert.throws(() => sendByHand("0000000000000001" + "00000003" + "0000" + "0000"), /proof/);
  assert.throws(() => sendByHand("0000000000000000" + "00000000" + "0000" + "0000"), /methods 0/);
  assert.throws(() => sendByHand("0000000000000000" + "00000003" + "0201"), /pad of 513/);
  const listener = sendByHand("0000000000000000" + "00000003" + "0200", 512 + 2);
  assert.equal(listener.ready.early!.length, 0);
});

test("what is behind the early bytes belongs to the stream", () => {
  const listener = sendByHand("0000000000000000" + "00000003" + "0000" + "0002", 2 + 5);
  assert.equal(listener.ready.early!.length, 2);
  assert.equal(listener.rest.length, 5);
});

test("the dialler refuses a method that it has not offered, and both at once", () => {
  for (const [offered, chosen] of [
    [RC4, PLAIN],
    [BOTH, BOTH],
    [BOTH, 0],
  ] as const) {
    const { dialler } = makePair({ dialler: offered, pads: [0, 0, 0, 0] });
    dialler.feed(new Uint8Array(0));
    const diallerKey = dialler.take();
    const own = new Uint8Array(20).fill(0x22);
    dialler.feed(EXCHANGE.publicKey(own));
    const { listener } = streamsOf(EXCHANGE.sharedSecret(own, diallerKey), INFOHASH);
    const answer = fromHex(`0000000000000000000000${`0${chosen}`}0000`)!;
    listener.apply(answer, answer);
    assert.throws(() => dialler.feed(answer), /chose the method/);
  }
});

test("a plain handshake is told apart after 20 bytes, or by the first that differs", () => {
  const { listener } = makePair();
  for (const byte of PLAIN_START.subarray(0, 19)) {
    listener.feed(Uint8Array.of(byte));
    assert.equal(listener.step.kind, "more");
  }
  listener.feed(PLAIN_START.subarray(19));
  assert.deepEqual(listener.ready, { kind: "ready", consumed: 0 });
  const strict = makePair({ allowsPlainStart: false }).listener;
  strict.feed(PLAIN_START);
  assert.equal(strict.step.kind, "refused");
  const other = makePair({ pads: [0, 0, 0, 0] }).listener;
  other.feed(concatBytes([PLAIN_START.subarray(0, 19), new Uint8Array(77).fill(1)]));
  assert.equal(other.take().length, 96, "it has answered with a key");
});

test("a peer that answers with a plain handshake is refused before its key would be whole", () => {
  const { dialler } = makePair();
  dialler.feed(new Uint8Array(0));
  dialler.feed(PLAIN_START);
  assert.equal(dialler.step.kind, "refused");
});
