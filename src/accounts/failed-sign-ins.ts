import { lineOf } from "../base/address-line.ts";
import type { Clock, Timer } from "../ports/clock.ts";
import type { Log } from "../ports/log.ts";
import { USER_NAME } from "./user-name.ts";

/** Failures without a line are summed up this long after the first line. */
const PERIOD_MS = 60_000;
/** Lines in a period, for one address (IPv6: one /64) and for all. */
const LINES_PER_ADDRESS_MAX = 3;
const LINES_MAX = 30;

export interface FailedSignIn {
  readonly address: string;
  /** As typed; `undefined` when no name was given. */
  readonly name?: string;
  readonly why: string;
}

/**
 * Writes one line for each failed sign-in, with the address, for people and for programs that block addresses.
 * Strangers decide how many failures there are, so lines are bounded, and one more line counts the rest.
 */
export class FailedSignIns {
  readonly #clock: Clock;
  readonly #log: Log;
  /** Lines of this period by address; each entry has at least one line, so there are at most `LINES_MAX` entries. */
  readonly #lines = new Map<string, number>();
  #linesOfAll = 0;
  #leftOut = 0;
  #timer: Timer | undefined;
  #closed = false;

  constructor(clock: Clock, log: Log) {
    this.#clock = clock;
    this.#log = log;
  }

  handle({ address, name, why }: FailedSignIn): void {
    if (this.#closed) return;
    this.#timer ??= this.#clock.startTimer(PERIOD_MS, () => this.#sumUp());
    const place = lineOf(address);
    const mine = this.#lines.get(place) ?? 0;
    if (mine >= LINES_PER_ADDRESS_MAX || this.#linesOfAll >= LINES_MAX) {
      this.#leftOut += 1;
      return;
    }
    this.#lines.set(place, mine + 1);
    this.#linesOfAll += 1;
    this.#log.info("a sign-in failed", { address: address || "unknown", why, ...named(name) });
  }

  /** Reports what is pending. Later failures are not counted, so that no timer keeps the program running. */
  close(): void {
    if (this.#timer) this.#sumUp();
    this.#closed = true;
  }

  #sumUp(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    const count = this.#leftOut;
    this.#lines.clear();
    this.#linesOfAll = 0;
    this.#leftOut = 0;
    if (count > 0) this.#log.info("more sign-ins failed in the last minute", { count });
  }
}

/** A name that is not possible may be a password in the wrong field, or text made to look like a log line. */
function named(name: string | undefined): Record<string, unknown> {
  if (name === undefined) return {};
  return USER_NAME.test(name) ? { name } : { nameCharacters: name.length };
}
