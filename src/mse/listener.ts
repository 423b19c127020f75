import { concatBytes, readUint16 } from "../base/bytes.ts";
import type { DecoratorStep, DecoratorWire, StreamDecorator } from "../engine/stream-decorator.ts";
import { EXCHANGE_KEY_BYTES } from "../ports/key-exchange.ts";
import { isSoundKey, maskTorrentMark, streamsOf, syncMark } from "./mse-keys.ts";
import {
  type Allowance,
  badNegotiation,
  findBehindPad,
  methodsAndPad,
  METHODS_AND_PAD_HEAD_BYTES,
  MORE,
  type NegotiationParts,
  OwnExchange,
  PAD_BYTES_MAX,
  PLAIN,
  PROOF,
  RC4,
  readMethodsAndPad,
  whenComputed,
  withPad,
} from "./negotiation.ts";
import { startsPlainly } from "./plain-start.ts";
import { Rc4Cipher } from "./rc4-cipher.ts";
import type { Rc4 } from "./rc4.ts";

const MARK_BYTES = 20;

/** Finds the torrent that a dialler means by its mark; a promise while the marks are still being read. */
export type FindByMark = (
  mark: Uint8Array,
) => Uint8Array | undefined | Promise<Uint8Array | undefined>;

export interface ListenerOptions extends Allowance {
  readonly parts: NegotiationParts;
  readonly network: string;
  /** Whether a peer may come without message stream encryption. */
  readonly allowsPlainStart: boolean;
  readonly findByMark: FindByMark;
}

interface Streams {
  readonly outgoing: Rc4;
  readonly incoming: Rc4;
  readonly infohash: Uint8Array;
}

type State =
  | { readonly kind: "start" | "key" }
  | { readonly kind: "mark"; readonly secret: Uint8Array }
  | (Streams & { readonly kind: "offer" })
  | (Streams & { readonly kind: "pad"; readonly padBytes: number; readonly method: number })
  | (Streams & { readonly kind: "early"; readonly earlyBytes: number; readonly method: number });

/**
 * The side of message stream encryption that is dialled. The first bytes tell whether a peer speaks plainly. Nothing is
 * computed before a peer's key is whole, and no torrent is named to a peer that does not know its infohash.
 *
 * start -> key -> mark -> offer -> pad -> early -> ready; start -> ready for a plain peer.
 */
export class Listener implements StreamDecorator {
  readonly #options: ListenerOptions;
  #exchange: OwnExchange | undefined;
  #state: State = { kind: "start" };

  constructor(options: ListenerOptions) {
    this.#options = options;
  }

  negotiate(received: Uint8Array, wire: DecoratorWire): DecoratorStep | Promise<DecoratorStep> {
    const state = this.#state;
    switch (state.kind) {
      case "start":
        return this.#start(received, wire);
      case "key":
        return this.#takeKey(received, wire);
      case "mark":
        return this.#takeMark(state.secret, received, wire);
      case "offer":
      case "pad":
      case "early":
        return this.#goOn(received, 0, wire);
    }
  }

  handleEnd(): void {
    this.#exchange?.end();
  }

  #start(received: Uint8Array, wire: DecoratorWire): DecoratorStep | Promise<DecoratorStep> {
    const isPlain = startsPlainly(received);
    if (isPlain === undefined) return MORE;
    if (!isPlain) {
      this.#state = { kind: "key" };
      return this.#takeKey(received, wire);
    }
    return this.#options.allowsPlainStart
      ? { kind: "ready", consumed: 0 }
      : { kind: "refused", reason: "is not encrypted, which is required" };
  }

  #takeKey(received: Uint8Array, wire: DecoratorWire): DecoratorStep | Promise<DecoratorStep> {
    if (received.length < EXCHANGE_KEY_BYTES) return MORE;
    const peerKey = received.slice(0, EXCHANGE_KEY_BYTES);
    if (!isSoundKey(peerKey)) throw badNegotiation("a public key that hides nothing");
    const { parts, network } = this.#options;
    this.#exchange = new OwnExchange(parts, network);
    return whenComputed(this.#exchange.both(peerKey), ({ publicKey, secret }) => {
      this.#state = { kind: "mark", secret };
      wire.send(withPad(publicKey, parts.random));
      return { kind: "more", consumed: EXCHANGE_KEY_BYTES };
    });
  }

  #takeMark(
    secret: Uint8Array,
    received: Uint8Array,
    wire: DecoratorWire,
  ): DecoratorStep | Promise<DecoratorStep> {
    const at = findBehindPad(received, syncMark(secret));
    if (at === undefined || received.length < at + 2 * MARK_BYTES) return MORE;
    const begin = at + MARK_BYTES;
    const mark = maskTorrentMark(received.subarray(begin, begin + MARK_BYTES), secret);
    const found = this.#options.findByMark(mark);
    const goOn = (infohash: Uint8Array | undefined): DecoratorStep => {
      if (!infohash) return { kind: "refused", reason: "asked for a torrent that is not here" };
      const { dialler: incoming, listener: outgoing } = streamsOf(secret, infohash);
      this.#state = { kind: "offer", incoming, outgoing, infohash };
      return this.#goOn(received, begin + MARK_BYTES, wire);
    };
    return found instanceof Promise ? found.then(goOn) : goOn(found);
  }

  /** @param offset - What is before it is consumed. */
  #goOn(received: Uint8Array, offset: number, wire: DecoratorWire): DecoratorStep {
    const state = this.#state;
    switch (state.kind) {
      case "offer": {
        const bytes = take(received, offset, PROOF.length + METHODS_AND_PAD_HEAD_BYTES, state);
        if (!bytes) return { kind: "more", consumed: offset };
        if (bytes.subarray(0, PROOF.length).some((byte) => byte !== 0)) {
          throw badNegotiation("the proof is wrong");
        }
        const { methods, padBytes } = readMethodsAndPad(bytes.subarray(PROOF.length));
        this.#state = { ...state, kind: "pad", padBytes, method: this.#choose(methods) };
        return this.#goOn(received, offset + bytes.length, wire);
      }
      case "pad": {
        const bytes = take(received, offset, state.padBytes + 2, state);
        if (!bytes) return { kind: "more", consumed: offset };
        const earlyBytes = readUint16(bytes, state.padBytes);
        this.#state = { ...state, kind: "early", earlyBytes };
        return this.#goOn(received, offset + bytes.length, wire);
      }
      case "early": {
        const early = take(received, offset, state.earlyBytes, state);
        if (!early) return { kind: "more", consumed: offset };
        return this.#answer(state, { early, consumed: offset + early.length }, wire);
      }
      case "start":
      case "key":
      case "mark":
        return MORE;
    }
  }

  /** Plain bytes behind an encrypted start hide as much from those who look at starts only, and cost nothing. */
  #choose(offered: number): number {
    const common = offered & this.#options.methods;
    if ((common & PLAIN) !== 0) return PLAIN;
    if ((common & RC4) !== 0) return RC4;
    throw badNegotiation(`offers the methods ${offered}, none of which is allowed here`);
  }

  #answer(
    { outgoing, incoming, infohash, method }: Streams & { readonly method: number },
    taken: { readonly early: Uint8Array; readonly consumed: number },
    wire: DecoratorWire,
  ): DecoratorStep {
    const { random } = this.#options.parts;
    const pad = random.bytes(random.below(PAD_BYTES_MAX + 1));
    const answer = concatBytes([PROOF, methodsAndPad(method, pad)]);
    outgoing.apply(answer, answer);
    wire.send(answer);
    return method === RC4
      ? {
          ...taken,
          kind: "ready",
          cipher: new Rc4Cipher({ outgoing, incoming }, this.#options.parts),
          infohash,
          encryption: "rc4",
        }
      : { ...taken, kind: "ready", infohash, encryption: "header" };
  }
}

/** @returns The bytes, decrypted; `undefined` until all of them have come. */
function take(
  received: Uint8Array,
  offset: number,
  length: number,
  { incoming }: Streams,
): Uint8Array | undefined {
  if (received.length < offset + length) return undefined;
  const bytes = received.slice(offset, offset + length);
  incoming.apply(bytes, bytes);
  return bytes;
}
