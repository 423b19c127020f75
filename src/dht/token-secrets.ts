import { equalBytes } from "../base/bytes.ts";
import { addressBytes } from "../base/endpoint.ts";
import { hmacSha256 } from "../base/hash.ts";
import type { Random } from "../ports/random.ts";

const SECRET_BYTES = 20;
const TOKEN_BYTES = 8;
/** A token is good for this long at least, and at most twice as long (BEP 5). */
export const SECRET_MS = 5 * 60_000;

/**
 * Tokens prove that whoever stores something receives packets at its address (DHT-2). Each is a MAC of the address; the
 * port is not in it, because routers change ports. Nothing is kept for a token that was given out.
 */
export class TokenSecrets {
  readonly #random: Random;
  #current: Uint8Array;
  #previous: Uint8Array;
  #changedMs: number;

  constructor(random: Random, now: number) {
    this.#random = random;
    this.#current = random.bytes(SECRET_BYTES);
    this.#previous = random.bytes(SECRET_BYTES);
    this.#changedMs = now;
  }

  tokenFor(address: string, now: number): Uint8Array {
    this.#turn(now);
    return makeToken(this.#current, address);
  }

  isValid(token: Uint8Array | undefined, address: string, now: number): boolean {
    if (token?.length !== TOKEN_BYTES) return false;
    this.#turn(now);
    return [this.#current, this.#previous].some((secret) =>
      equalBytes(token, makeToken(secret, address)),
    );
  }

  #turn(now: number): void {
    const passedMs = now - this.#changedMs;
    if (passedMs < SECRET_MS) return;
    this.#previous = passedMs < 2 * SECRET_MS ? this.#current : this.#random.bytes(SECRET_BYTES);
    this.#current = this.#random.bytes(SECRET_BYTES);
    this.#changedMs = now;
  }
}

function makeToken(secret: Uint8Array, address: string): Uint8Array {
  const bytes = addressBytes(address) ?? new Uint8Array(0);
  return hmacSha256(secret, bytes).subarray(0, TOKEN_BYTES);
}
