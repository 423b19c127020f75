import { sha256 } from "../base/hash.ts";
import { encodeUtf8, equalBytes, toHex } from "../base/bytes.ts";
import type { Clock } from "../ports/clock.ts";
import type { Random } from "../ports/random.ts";

export const SETUP_KEY_MINUTES = 30;
const KEY_BYTES = 16;

/**
 * The one-time key that makes the first administrator: shown on the terminal, valid for 30 minutes and one use, kept
 * in memory only (HUB-1). A restart makes a new one.
 */
export class SetupGate {
  /** What the terminal prints. */
  readonly key: string;
  readonly #digest: Uint8Array;
  readonly #clock: Clock;
  readonly #endMs: number;
  #used = false;

  constructor(clock: Clock, random: Random) {
    this.key = toHex(random.bytes(KEY_BYTES));
    this.#digest = digest(this.key);
    this.#clock = clock;
    this.#endMs = clock.nowMs() + SETUP_KEY_MINUTES * 60_000;
  }

  /** @returns False when the key is wrong, too old or used. */
  accepts(key: string): boolean {
    if (this.#used || this.#clock.nowMs() >= this.#endMs) return false;
    // Compares digests, so that the time taken does not reveal how much of a guess is right.
    return equalBytes(digest(key.trim()), this.#digest);
  }

  /** From now on no key is accepted. */
  use(): void {
    this.#used = true;
  }

  /** Making the administrator failed, so the key may be used again. */
  unuse(): void {
    this.#used = false;
  }
}

function digest(key: string): Uint8Array {
  return sha256(encodeUtf8(key));
}
