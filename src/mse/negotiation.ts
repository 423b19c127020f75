import { concatBytes, readUint16, readUint32 } from "../base/bytes.ts";
import type { KeyExchange } from "../ports/key-exchange.ts";
import type { Random } from "../ports/random.ts";
import { WireError } from "../wire/wire-error.ts";
import type { DecoratorStep } from "../engine/stream-decorator.ts";
import type { ExchangeTicket, ExchangeTurns } from "./exchange-turns.ts";
import type { SentMemory } from "./sent-memory.ts";

export const PAD_BYTES_MAX = 512;
/** Eight zero bytes, encrypted: they show that the other side has the same keys. */
export const PROOF = new Uint8Array(8);

/** How the bytes behind the negotiation go over the line: bits of a field. */
export const PLAIN = 1;
export const RC4 = 2;

export const MORE: DecoratorStep = { kind: "more", consumed: 0 };

const PRIVATE_KEY_BYTES = 20;

/** What both sides of a negotiation need. */
export interface NegotiationParts {
  readonly exchange: KeyExchange;
  readonly turns: ExchangeTurns;
  readonly random: Random;
  readonly memory: SentMemory;
}

/** What one side allows behind the negotiation. */
export interface Allowance {
  /** A combination of `PLAIN` and `RC4`. */
  readonly methods: number;
}

/** The key exchange of one connection, in its turns. */
export class OwnExchange {
  readonly #parts: NegotiationParts;
  readonly #network: string;
  readonly #privateKey: Uint8Array;
  readonly #ticket: ExchangeTicket = {};

  constructor(parts: NegotiationParts, network: string) {
    this.#parts = parts;
    this.#network = network;
    this.#privateKey = parts.random.bytes(PRIVATE_KEY_BYTES);
  }

  /** @returns `undefined` when too many wait for a turn. */
  publicKey(): Uint8Array | Promise<Uint8Array> | undefined {
    return this.#compute(1, () => this.#parts.exchange.publicKey(this.#privateKey));
  }

  sharedSecret(peerKey: Uint8Array): Uint8Array | Promise<Uint8Array> | undefined {
    return this.#compute(1, () => this.#parts.exchange.sharedSecret(this.#privateKey, peerKey));
  }

  both(peerKey: Uint8Array): BothKeys | Promise<BothKeys> | undefined {
    const { exchange } = this.#parts;
    return this.#compute(2, () => ({
      publicKey: exchange.publicKey(this.#privateKey),
      secret: exchange.sharedSecret(this.#privateKey, peerKey),
    }));
  }

  /** The connection has ended. */
  end(): void {
    this.#parts.turns.drop(this.#ticket);
  }

  #compute<T>(computations: number, compute: () => T): T | Promise<T> | undefined {
    const options = { network: this.#network, computations, ticket: this.#ticket };
    return this.#parts.turns.compute(compute, options);
  }
}

interface BothKeys {
  readonly publicKey: Uint8Array;
  readonly secret: Uint8Array;
}

export const TOO_MANY: DecoratorStep = {
  kind: "refused",
  reason: "too many peers are exchanging keys",
};

/** Goes on at once, or when the value is there. Too many wait when there is none. */
export function whenComputed<T>(
  value: T | Promise<T> | undefined,
  goOn: (value: T) => DecoratorStep | Promise<DecoratorStep>,
): DecoratorStep | Promise<DecoratorStep> {
  if (value === undefined) return TOO_MANY;
  return value instanceof Promise ? value.then(goOn) : goOn(value);
}

/** A public key, and random bytes behind it that hide its length. */
export function withPad(publicKey: Uint8Array, random: Random): Uint8Array {
  return concatBytes([publicKey, random.bytes(random.below(PAD_BYTES_MAX + 1))]);
}

/** What is behind the proof in the message of either side: bits of methods, and an empty pad of its own. */
export function methodsAndPad(methods: number, pad: Uint8Array): Uint8Array {
  const head = Uint8Array.of(0, 0, 0, methods, pad.length >>> 8, pad.length & 255);
  return concatBytes([head, pad]);
}

export const METHODS_AND_PAD_HEAD_BYTES = 6;

/** @throws {WireError} When the pad is too long. */
export function readMethodsAndPad(head: Uint8Array): {
  readonly methods: number;
  readonly padBytes: number;
} {
  const padBytes = readUint16(head, 4);
  if (padBytes > PAD_BYTES_MAX) throw badNegotiation(`a pad of ${padBytes} bytes`);
  return { methods: readUint32(head, 0), padBytes };
}

/**
 * Finds a mark behind a pad.
 *
 * @returns Its place; `undefined` while it may still come.
 * @throws {WireError} When it should have come: the search has an end (WIR-19).
 */
export function findBehindPad(received: Uint8Array, mark: Uint8Array): number | undefined {
  const searched = received.subarray(0, PAD_BYTES_MAX + mark.length);
  for (let at = 0; at + mark.length <= searched.length; at += 1) {
    if (mark.every((byte, i) => byte === searched[at + i])) return at;
  }
  if (searched.length < PAD_BYTES_MAX + mark.length) return undefined;
  throw badNegotiation("what has to follow the pad does not come");
}

export function badNegotiation(why: string): WireError {
  return new WireError("bad-decoration", `message stream encryption: ${why}`);
}
