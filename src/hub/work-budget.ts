import { lineOf } from "../base/address-line.ts";
import type { Work } from "../base/work.ts";
import type { Clock } from "../ports/clock.ts";
import type { Turns, Workers } from "../publish/turns.ts";
import { OverloadError, type Refusal } from "./problems.ts";

/** Work that one address may ask for. */
interface Allowance {
  /** Of the main thread, for each second. */
  readonly perSecondMs: number;
  /** What is saved up while nothing is asked for. */
  readonly savedMsMax: number;
  /** Tasks under way at once of one address; each may hold a list of a torrent's files. */
  readonly tasksMax: number;
  /** The same of all addresses that have this allowance or a smaller one. */
  readonly tasksOfAllMax: number;
}

/** Some twenty pages a second that nobody else looks at, of a torrent with 100,000 files four. */
const STRANGERS: Allowance = {
  perSecondMs: 200,
  savedMsMax: 3_000,
  tasksMax: 8,
  tasksOfAllMax: 192,
};
/** People who are signed in, and this very machine. Strangers leave some places to them. */
const KNOWN: Allowance = {
  perSecondMs: 600,
  savedMsMax: 20_000,
  tasksMax: 64,
  tasksOfAllMax: 256,
};
/** What any request costs that is not answered from memory, besides what is measured. */
const REQUEST_MS = 1;
/** Taken for a task before it is known what it costs, and given back when it has ended. */
const RESERVED_MS = 20;
/** A request that did a part of its work may have as many tasks more, so that the part was not for nothing. */
const BEGUN_FACTOR = 2;
/** Addresses that are remembered, in two generations of half as many. */
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
  /** Addresses that were seen since the others became old. When these are many, they are the old ones. */
  #balances = new Map<string, Balance>();
  #oldBalances = new Map<string, Balance>();
  /** Tasks under way by address. */
  readonly #tasks = new Map<string, number>();
  #tasksOfAll = 0;

  constructor(clock: Clock, turns: Turns) {
    this.#clock = clock;
    this.#turns = turns;
  }

  /** Addresses that are remembered; some may be counted twice. */
  get size(): number {
    return this.#balances.size + this.#oldBalances.size;
  }

  /** Tasks that have not ended. */
  get tasks(): number {
    return this.#tasksOfAll;
  }

  /**
   * Opens the account of one request.
   *
   * @param isKnown - Somebody who is signed in, or on this machine.
   */
  open(address: string, isKnown: boolean): WorkAccount {
    const allowance = isKnown ? KNOWN : STRANGERS;
    const line = `${isKnown ? "known" : "stranger"} ${lineOf(address)}`;
    return new WorkAccount({
      turns: this.#turns,
      line,
      allowance,
      left: () => this.#balance(line, allowance).leftMs,
      take: (ms) => void (this.#balance(line, allowance).leftMs -= ms),
      tasks: () => ({ mine: this.#tasks.get(line) ?? 0, ofAll: this.#tasksOfAll }),
      count: (change) => this.#count(line, change),
    });
  }

  #count(line: string, change: 1 | -1): void {
    this.#tasksOfAll += change;
    const mine = (this.#tasks.get(line) ?? 0) + change;
    if (mine > 0) this.#tasks.set(line, mine);
    else this.#tasks.delete(line);
  }

  #balance(line: string, { perSecondMs, savedMsMax }: Allowance): Balance {
    const now = this.#clock.nowMs();
    let balance = this.#balances.get(line);
    if (!balance) {
      balance = this.#oldBalances.get(line) ?? { leftMs: savedMsMax, atMs: now };
      // However many addresses there are, a new one costs no look at the others.
      if (this.#balances.size >= ADDRESSES_MAX / 2) {
        this.#oldBalances = this.#balances;
        this.#balances = new Map();
      }
      this.#balances.set(line, balance);
    }
    const passedMs = Math.max(0, now - balance.atMs);
    balance.leftMs = Math.min(savedMsMax, balance.leftMs + (passedMs * perSecondMs) / 1_000);
    balance.atMs = now;
    return balance;
  }
}

interface AccountParts {
  readonly turns: Turns;
  readonly line: string;
  readonly allowance: Allowance;
  readonly left: () => number;
  readonly take: (ms: number) => void;
  /** Under way at this moment. */
  readonly tasks: () => { readonly mine: number; readonly ofAll: number };
  readonly count: (change: 1 | -1) => void;
}

/** Whoever asks pays for the work of the request. */
export class WorkAccount implements Workers {
  readonly #parts: AccountParts;
  #hasBegun = false;

  constructor(parts: AccountParts) {
    this.#parts = parts;
  }

  /** What is answered when the allowance is spent or in use; `undefined` lets the request in and takes its price. */
  refusal(): Refusal | undefined {
    const { left, take, allowance } = this.#parts;
    const leftMs = left();
    if (leftMs <= 0) return spent(Math.ceil(1 - leftMs / allowance.perSecondMs));
    const noPlace = this.#noPlace();
    if (!noPlace) take(REQUEST_MS);
    return noPlace;
  }

  /** @throws {OverloadError} (rejects) When too much is under way, of this address or of everybody. */
  async run<Result>(work: Work<Result>): Promise<Result> {
    const noPlace = this.#noPlace();
    if (noPlace) throw new OverloadError(noPlace);
    this.#hasBegun = true;
    const { turns, line, take, count } = this.#parts;
    // Before it is known what the work costs: many who come at once must not all find the allowance unspent.
    count(1);
    take(RESERVED_MS);
    try {
      return await turns.run(work, { line, charge: take });
    } finally {
      count(-1);
      take(-RESERVED_MS);
    }
  }

  /** Does what cannot be cut into steps, in a turn. */
  async once<Result>(task: () => Result): Promise<Awaited<Result>> {
    const result = await this.run(oneStep(task));
    return result;
  }

  #noPlace(): Refusal | undefined {
    const { tasks, allowance } = this.#parts;
    const { mine, ofAll } = tasks();
    if (mine >= allowance.tasksMax * (this.#hasBegun ? BEGUN_FACTOR : 1)) return spent(1);
    return ofAll >= allowance.tasksOfAllMax ? BUSY : undefined;
  }
}

/** @param retryAfter - Seconds. */
function spent(retryAfter: number): Refusal {
  return {
    status: 429,
    code: "too_many_requests",
    message: "Your address asked for more than this hub can make for one address at the moment.",
    hint: "Wait for some seconds. Programs should ask for less at once.",
    retryAfter,
  };
}

const BUSY: Refusal = {
  status: 503,
  code: "busy",
  message: "This hub has too much to do at the moment.",
  hint: "Try again in a few seconds.",
  retryAfter: 5,
};

// eslint-disable-next-line require-yield -- the one step is the work
function* oneStep<Result>(task: () => Result): Work<Result> {
  return task();
}
