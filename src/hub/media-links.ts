import { encodeUtf8 } from "../base/bytes.ts";
import { hmacSha256 } from "../base/hash.ts";
import type { Clock } from "../ports/clock.ts";
import type { Random } from "../ports/random.ts";

/** Longer than a film with its pauses. */
const LIFE_MS = 24 * 60 * 60_000;
const KEY_BYTES = 32;

/** The right to read one file of one transfer, as part of a URL. */
export interface MediaToken {
  readonly token: string;
  readonly endsAtMs: number;
}

/**
 * Links for players, which know neither passwords nor cookies. A link leads to one file of one transfer for a day, and
 * no longer than the program runs: its key is in memory alone.
 */
export class MediaLinks {
  readonly #key: Uint8Array;
  readonly #clock: Pick<Clock, "wallMs">;

  constructor(random: Random, clock: Pick<Clock, "wallMs">) {
    this.#key = random.bytes(KEY_BYTES);
    this.#clock = clock;
  }

  /** @param transfer - Its whole id. */
  sign(transfer: string, file: number): MediaToken {
    const endsAtMs = Math.floor(this.#clock.wallMs()) + LIFE_MS;
    return { token: `${endsAtMs.toString(36)}.${this.#seal(transfer, file, endsAtMs)}`, endsAtMs };
  }

  /** True when the token is for this file, and its day is not over. */
  allows(token: string, transfer: string, file: number): boolean {
    const [end = "", seal = ""] = token.split(".");
    if (!/^[0-9a-z]{1,11}$/.test(end)) return false;
    const endsAtMs = Number.parseInt(end, 36);
    return areEqual(seal, this.#seal(transfer, file, endsAtMs)) && this.#clock.wallMs() < endsAtMs;
  }

  #seal(transfer: string, file: number, endsAtMs: number): string {
    const words = encodeUtf8(`${transfer} ${file} ${endsAtMs}`);
    return hmacSha256(this.#key, words).toBase64({ alphabet: "base64url", omitPadding: true });
  }
}

/** Takes as long for every wrong text of the right length. */
function areEqual(a: string, b: string): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i += 1) difference |= a.charCodeAt(i) ^ b.charCodeAt(i);
  return difference === 0;
}
