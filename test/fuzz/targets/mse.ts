import { concatBytes } from "../../../src/base/bytes.ts";
import type { DecoratorStep, StreamDecorator } from "../../../src/engine/stream-decorator.ts";
import { streamEncryption } from "../../../src/mse/stream-encryption.ts";
import { NodeKeyExchange } from "../../../src/platform/node-key-exchange.ts";
import { tcpAddress } from "../../../src/base/peer-address.ts";
import { seededRandom } from "../../../src/sim/seeded-random.ts";
import { Simulation } from "../../../src/sim/simulation.ts";
import { WireError } from "../../../src/wire/wire-error.ts";
import { Refused, type FuzzTarget } from "../target.ts";

const EXCHANGE = new NodeKeyExchange();
const INFOHASH = new Uint8Array(20).fill(0xaa);
const REMOTE = tcpAddress({ address: "10.0.0.1", port: 1 });
/** More than any negotiation may hold back: the longest early bytes, pads, a key and marks. */
const HELD_BYTES_MAX = 70_000;

/** The same chance each time, so that recorded messages fit the keys of the side that gets them. */
function makeSides(): { dialler: StreamDecorator; listener: StreamDecorator } {
  const make = (seed: number) => {
    const decorators = streamEncryption({
      mode: "prefer",
      clock: new Simulation(),
      random: seededRandom(seed),
      keyExchange: EXCHANGE,
    });
    decorators.handleInfohash!(INFOHASH, true);
    return decorators;
  };
  return {
    dialler: make(1).outgoing!({ remote: REMOTE, infohash: INFOHASH })!,
    listener: make(2).incoming!({ remote: REMOTE })!,
  };
}

/** One side, fed as the engine feeds it. */
class Driven {
  readonly sent: Uint8Array[] = [];
  readonly #decorator: StreamDecorator;
  #received: Uint8Array = new Uint8Array(0);
  step: DecoratorStep = { kind: "more", consumed: 0 };

  constructor(decorator: StreamDecorator) {
    this.#decorator = decorator;
  }

  feed(bytes: Uint8Array): void {
    if (this.step.kind !== "more") return;
    this.#received = concatBytes([this.#received, bytes]);
    const step = this.#decorator.negotiate(this.#received, {
      send: (part) => void this.sent.push(part),
      takeWritten: () => new Uint8Array(68),
    });
    if (step instanceof Promise) throw new Error("nothing waits for a turn here");
    this.step = step;
    if (step.kind === "refused") throw new Refused();
    this.#received = this.#received.slice(step.consumed);
    if (step.kind === "more" && this.#received.length > HELD_BYTES_MAX) {
      throw new Error("it holds back bytes without an end");
    }
  }
}

function recordDialogue(): { toListener: Uint8Array; toDialler: Uint8Array } {
  const sides = makeSides();
  const [dialler, listener] = [new Driven(sides.dialler), new Driven(sides.listener)];
  const log = {
    toListener: new Uint8Array(0) as Uint8Array,
    toDialler: new Uint8Array(0) as Uint8Array,
  };
  dialler.feed(new Uint8Array(0));
  for (let turn = 0; turn < 2; turn += 1) {
    const out = concatBytes(dialler.sent.splice(0));
    log.toListener = concatBytes([log.toListener, out]);
    listener.feed(out);
    const back = concatBytes(listener.sent.splice(0));
    log.toDialler = concatBytes([log.toDialler, back]);
    dialler.feed(back);
  }
  if (dialler.step.kind !== "ready" || listener.step.kind !== "ready") {
    throw new Error("the recorded dialogue is whole");
  }
  return log;
}

const RECORDED = recordDialogue();

/** At once, and cut where the input says: both lead to the same. */
function runSide(input: Uint8Array, make: () => StreamDecorator, speaksFirst: boolean): void {
  const outcome = (parts: readonly Uint8Array[]): string => {
    const side = new Driven(make());
    try {
      if (speaksFirst) side.feed(new Uint8Array(0));
      for (const part of parts) side.feed(part);
    } catch (error) {
      if (error instanceof WireError) return error.message;
      if (error instanceof Refused) return "refused";
      throw error;
    }
    return side.step.kind;
  };
  const cut = input.length === 0 ? 0 : input[0]! % input.length;
  // A part that ends a message leaves the next one to its own part, as the other side waits for an answer.
  const whole = outcome([input.subarray(0, 96), input.subarray(96)]);
  const inParts = outcome([input.subarray(0, cut), input.subarray(cut), new Uint8Array(0)]);
  const isOver = whole === "ready" || inParts === "ready";
  if (isOver && whole !== inParts) throw new Error(`at once: ${whole}; in parts: ${inParts}`);
  if (whole !== "ready") throw new Refused();
}

export const targets: readonly FuzzTarget[] = [
  {
    name: "mse-listener",
    corpus: [RECORDED.toListener, new Uint8Array(700).fill(3), new Uint8Array(96)],
    refusals: [Refused],
    run: (input) => runSide(input, () => makeSides().listener, false),
  },
  {
    name: "mse-dialler",
    corpus: [RECORDED.toDialler, new Uint8Array(700).fill(3), new Uint8Array(96)],
    refusals: [Refused],
    run: (input) => runSide(input, () => makeSides().dialler, true),
  },
];
