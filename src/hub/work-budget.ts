import { toHex } from "../base/bytes.ts";
import { addressBytes } from "../base/endpoint.ts";
import type { Work } from "../base/work.ts";
import type { Clock } from "../ports/clock.ts";
import type { Turns, Workers } from "../publish/turns.ts";
import { RefusedError, type Refusal } from "./problems.ts";

/** Work that one address may ask for, in milliseconds of the main thread. */
interface Allowance {
  readonly perSecondMs: number;
  /** What is saved up while nothing is asked for. */
  readonly savedMsMax: number;
}

/** Some twenty pages a second that nobody else looks at, of a torrent with 100,000 files four. */
const STRANGERS: Allowance = { perSecondMs: 200, savedMsMax: 3_000 };
/** People who are signed in, and this very machine. */
const KNOWN: Allowance = { perSecondMs: 600, savedMsMax: 20_000 };
/** What any request costs that is not answered from memory, besides what is measured. */
const REQUEST_MS = 1;
/** Work under way at once, of everybody: each may hold a list of a torrent's files. */
const WAITING_MAX = 256;
/** Addresses that are remembered; those that have saved up most are forgotten first. */
const ADDRESSES_MAX = 20_000;

interface Balance {
  leftMs: number;
  atMs: number;
}

/**
 * What each address may cost. One that spent its allowance is told to wait, so that the thread is there for the others;
 * what is served from memory costs nothing.
 */
export class WorkBudget {
  readonly #clock: Clock;
  readonly #turns: Turns;
  readonly #balances = new Map<string, Balance>();

  constructor(clock: Clock, turns: Turns) {
    this.#clock = clock;
    this.#turns = turns;
  }

  /** Addresses that are remembered. */
  get size(): number {
    return this.#balances.size;
  }

  /**
   * Opens the account of one request.
   *
   * @param isKnown - Somebody who is signed in, or on this machine.
   */
  open(address: string, isKnown: boolean): WorkAccount {
    const allowance = isKnown ? KNOWN : STRANGERS;
    const key = `${isKnown ? "known" : "stranger"} ${networkOf(address)}`;
    return new WorkAccount({
      turns: this.#turns,
      left: () => this.#balance(key, allowance).leftMs,
      take: (ms) => void (this.#balance(key, allowance).leftMs -= ms),
      perSecondMs: allowance.perSecondMs,
    });
  }

  #balance(key: string, { perSecondMs, savedMsMax }: Allowance): Balance {
    const now = this.#clock.nowMs();
    const known = this.#balances.get(key);
    if (known) {
      const passedMs = Math.max(0, now - known.atMs);
      known.leftMs = Math.min(savedMsMax, known.leftMs + (passedMs * perSecondMs) / 1_000);
      known.atMs = now;
      return known;
    }
    if (this.#balances.size >= ADDRESSES_MAX) this.#forget(now);
    const balance = { leftMs: savedMsMax, atMs: now };
    this.#balances.set(key, balance);
    return balance;
  }

  /** Those that are as good as new; when all are busy, the oldest. */
  #forget(now: number): void {
    const restedMs = (STRANGERS.savedMsMax / STRANGERS.perSecondMs) * 1_000;
    for (const [key, { atMs }] of this.#balances) {
      if (now - atMs >= restedMs) this.#balances.delete(key);
    }
    for (const key of this.#balances.keys()) {
      if (this.#balances.size < ADDRESSES_MAX) return;
      this.#balances.delete(key);
    }
  }
}

/** Whoever asks pays for the work of the request. */
export class WorkAccount implements Workers {
  readonly #turns: Turns;
  readonly #left: () => number;
  readonly #take: (ms: number) => void;
  readonly #perSecondMs: number;

  constructor(parts: {
    readonly turns: Turns;
    readonly left: () => number;
    readonly take: (ms: number) => void;
    readonly perSecondMs: number;
  }) {
    this.#turns = parts.turns;
    this.#left = parts.left;
    this.#take = parts.take;
    this.#perSecondMs = parts.perSecondMs;
  }

  /** What is answered when the allowance is spent; `undefined` lets the request in and takes its price. */
  refusal(): Refusal | undefined {
    const left = this.#left();
    if (left > 0) {
      this.#take(REQUEST_MS);
      return undefined;
    }
    return {
      status: 429,
      code: "too_many_requests",
      message: "Your address asked for more than this hub can make for one address at the moment.",
      hint: "Wait for some seconds. Programs should ask for less at once.",
      retryAfter: Math.ceil(1 - left / this.#perSecondMs),
    };
  }

  /** @throws {RefusedError} (rejects) 503 when too much is under way for everybody. */
  async run<Result>(work: Work<Result>): Promise<Result> {
    if (this.#turns.waiting >= WAITING_MAX) {
      throw new RefusedError({
        status: 503,
        code: "busy",
        message: "This hub has too much to do at the moment.",
        hint: "Try again in a few seconds.",
        retryAfter: 5,
      });
    }
    return this.#turns.run(work, this.#take);
  }

  /** Does what cannot be cut into steps, in a turn. */
  async once<Result>(task: () => Result): Promise<Awaited<Result>> {
    const result = await this.run(oneStep(task));
    return result;
  }
}

// eslint-disable-next-line require-yield -- the one step is the work
function* oneStep<Result>(task: () => Result): Work<Result> {
  return task();
}

/** IPv6 hands out addresses by the /64: all of one have one allowance. */
function networkOf(address: string): string {
  const bytes = addressBytes(address);
  return bytes?.length === 16 ? `${toHex(bytes.subarray(0, 8))}/64` : address;
}
