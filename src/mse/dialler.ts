import { concatBytes, equalBytes, writeUint16 } from "../base/bytes.ts";
import type { DecoratorStep, DecoratorWire, StreamDecorator } from "../engine/stream-decorator.ts";
import { EXCHANGE_KEY_BYTES } from "../ports/key-exchange.ts";
import { isSoundKey, maskTorrentMark, streamsOf, syncMark, torrentMark } from "./mse-keys.ts";
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
import { PLAIN_START } from "./plain-start.ts";
import { Rc4Cipher } from "./rc4-cipher.ts";
import type { Rc4 } from "./rc4.ts";

/** First bytes of the connection that go along, encrypted: our handshake. */
const EARLY_BYTES_MAX = 1_024;

export interface DiallerOptions extends Allowance {
  readonly parts: NegotiationParts;
  readonly network: string;
  /** The torrent's, 20 bytes. */
  readonly infohash: Uint8Array;
  /** The peer speaks message stream encryption. */
  readonly onReady: () => void;
}

type State =
  | { readonly kind: "start" | "key" }
  /** The peer's proof has to come behind its pad. @param expected - As it is encrypted. */
  | {
      readonly kind: "proof";
      readonly incoming: Rc4;
      readonly outgoing: Rc4;
      readonly expected: Uint8Array;
    }
  | { readonly kind: "choice"; readonly incoming: Rc4; readonly outgoing: Rc4 }
  | {
      readonly kind: "pad";
      readonly incoming: Rc4;
      readonly outgoing: Rc4;
      readonly padBytes: number;
      readonly method: number;
    };

/**
 * The side of message stream encryption that dials. It sends its public key, proves that it knows the secret and the
 * torrent as soon as it has the peer's key, and lets the peer choose how the bytes behind go over the line.
 *
 * start -> key -> proof -> choice -> pad -> ready.
 */
export class Dialler implements StreamDecorator {
  readonly #options: DiallerOptions;
  readonly #exchange: OwnExchange;
  #state: State = { kind: "start" };

  constructor(options: DiallerOptions) {
    this.#options = options;
    this.#exchange = new OwnExchange(options.parts, options.network);
  }

  negotiate(received: Uint8Array, wire: DecoratorWire): DecoratorStep | Promise<DecoratorStep> {
    const state = this.#state;
    switch (state.kind) {
      case "start":
        return whenComputed(this.#exchange.publicKey(), (publicKey) => {
          this.#state = { kind: "key" };
          wire.send(withPad(publicKey, this.#options.parts.random));
          return MORE;
        });
      case "key":
        return this.#takeKey(received, wire);
      case "proof": {
        const at = findBehindPad(received, state.expected);
        if (at === undefined) return MORE;
        const { incoming, outgoing } = state;
        this.#state = { kind: "choice", incoming, outgoing };
        return this.#goOn(received, at + PROOF.length);
      }
      case "choice":
      case "pad":
        return this.#goOn(received, 0);
    }
  }

  handleEnd(): void {
    this.#exchange.end();
  }

  #takeKey(received: Uint8Array, wire: DecoratorWire): DecoratorStep | Promise<DecoratorStep> {
    if (received.length >= PLAIN_START.length) {
      const start = received.subarray(0, PLAIN_START.length);
      if (equalBytes(start, PLAIN_START)) return { kind: "refused", reason: "speaks plainly only" };
    }
    if (received.length < EXCHANGE_KEY_BYTES) return MORE;
    const peerKey = received.slice(0, EXCHANGE_KEY_BYTES);
    if (!isSoundKey(peerKey)) throw badNegotiation("a public key that hides nothing");
    return whenComputed(this.#exchange.sharedSecret(peerKey), (secret) => {
      this.#prove(secret, wire);
      return { kind: "more", consumed: EXCHANGE_KEY_BYTES };
    });
  }

  #prove(secret: Uint8Array, wire: DecoratorWire): void {
    const { infohash, methods, parts } = this.#options;
    const { dialler: outgoing, listener: incoming } = streamsOf(secret, infohash);
    const pad = parts.random.bytes(parts.random.below(PAD_BYTES_MAX + 1));
    const early = wire.takeWritten(EARLY_BYTES_MAX);
    const earlyBytes = new Uint8Array(2);
    writeUint16(earlyBytes, 0, early.length);
    const hidden = concatBytes([PROOF, methodsAndPad(methods, pad), earlyBytes, early]);
    outgoing.apply(hidden, hidden);
    const mark = maskTorrentMark(torrentMark(infohash), secret);
    this.#state = {
      kind: "proof",
      incoming,
      outgoing,
      expected: incoming.keystream(PROOF.length),
    };
    wire.send(concatBytes([syncMark(secret), mark, hidden]));
  }

  /** @param offset - What is before it is consumed. */
  #goOn(received: Uint8Array, offset: number): DecoratorStep {
    const state = this.#state;
    if (state.kind === "choice") {
      const end = offset + METHODS_AND_PAD_HEAD_BYTES;
      if (received.length < end) return { kind: "more", consumed: offset };
      const head = received.slice(offset, end);
      state.incoming.apply(head, head);
      const { methods: method, padBytes } = readMethodsAndPad(head);
      if ((method !== PLAIN && method !== RC4) || (method & this.#options.methods) === 0) {
        throw badNegotiation(`chose the method ${method}`);
      }
      this.#state = { ...state, kind: "pad", padBytes, method };
      return this.#goOn(received, end);
    }
    if (state.kind !== "pad") return MORE;
    const { incoming, outgoing, padBytes, method } = state;
    const consumed = offset + padBytes;
    if (received.length < consumed) return { kind: "more", consumed: offset };
    incoming.keystream(padBytes);
    this.#options.onReady();
    const { infohash } = this.#options;
    return method === RC4
      ? {
          kind: "ready",
          consumed,
          cipher: new Rc4Cipher({ outgoing, incoming }, this.#options.parts),
          infohash,
          encryption: "rc4",
        }
      : { kind: "ready", consumed, infohash, encryption: "header" };
  }
}
