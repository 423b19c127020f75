import { lineOf } from "../base/address-line.ts";
import type { Work } from "../base/work.ts";
import type { Clock } from "../ports/clock.ts";
import type { Turns, Workers } from "../publish/turns.ts";
import { OverloadError, type Refusal } from "./problems.ts";

/** The work that one address may ask for. */
interface Allowance {
  /** Time of the main thread, for each second. */
  readonly perSecondMs: number;
  /** The most that is saved up while the address is idle. */
  readonly savedMsMax: number;
  /** Tasks of one address in progress at once; each may hold a list of a torrent's files. */
  readonly tasksMax: number;
  /** The same for all addresses with this allowance or a smaller one. */
  readonly tasksOfAllMax: number;
}

/** About twenty uncached pages a second, or four for a torrent with 100,000 files. */
const STRANGERS: Allowance = {
  perSecondMs: 200,
  savedMsMax: 3_000,
  tasksMax: 8,
  tasksOfAllMax: 192,
};
/** People who are signed in, and this machine. Strangers leave some places to them. */
const KNOWN: Allowance = {
  perSecondMs: 600,
  savedMsMax: 20_000,
  tasksMax: 64,
  tasksOfAllMax: 256,
};
/** The fixed price of a request that is not answered from memory, besides the measured work. */
const REQUEST_MS = 1;
/** Reserved for a task until its cost is known, and given back when it has ended. */
const RESERVED_MS = 20;
/** A request that is partly done may start this many times as many tasks, so that the part was not wasted. */
const BEGUN_FACTOR = 2;
/** Remembered addresses, in two generations of half as many. */
const ADDRESSES_MAX = 20_000;

interface Balance {
  leftMs: number;
  atMs: number;
}

/**
 * Limits the cost of each address. An address that spent its allowance is told to wait, so that the thread is there
 * for the others; answers from memory are free.
 */
export class WorkBudget {
  readonly #clock: Clock;
  readonly #turns: Turns;
  /** Addresses seen in this generation. When it is full, it becomes the old generation. */
  #balances = new Map<string, Balance>();
  #oldBalances = new Map<string, Balance>();
  /** Tasks in progress by address. */
  readonly #tasks = new Map<string, number>();
  #tasksOfAll = 0;

  constructor(clock: Clock, turns: Turns) {
    this.#clock = clock;
    this.#turns = turns;
  }

  /** Remembered addresses; some may be counted twice. */
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
   * @param isKnown - The user is signed in, or on this machine.
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
      // Constant time for a new address, however many there are.
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
  /** Tasks in progress now. */
  readonly tasks: () => { readonly mine: number; readonly ofAll: number };
  readonly count: (change: 1 | -1) => void;
}

/** Charges the asker for the work of the request. */
export class WorkAccount implements Workers {
  readonly #parts: AccountParts;
  #hasBegun = false;

  constructor(parts: AccountParts) {
    this.#parts = parts;
  }

  /** The refusal when the allowance is spent or in use; `undefined` admits the request and charges its price. */
  refusal(): Refusal | undefined {
    const { left, take, allowance } = this.#parts;
    const leftMs = left();
    if (leftMs <= 0) return spent(Math.ceil(1 - leftMs / allowance.perSecondMs));
    const noPlace = this.#noPlace();
    if (!noPlace) take(REQUEST_MS);
    return noPlace;
  }

  /** @throws {OverloadError} (rejects) When too much is in progress, for this address or in total. */
  async run<Result>(work: Work<Result>): Promise<Result> {
    const noPlace = this.#noPlace();
    if (noPlace) throw new OverloadError(noPlace);
    this.#hasBegun = true;
    const { turns, line, take, count } = this.#parts;
    // The cost is not known yet, and many requests at once must not all find the allowance unspent.
    count(1);
    take(RESERVED_MS);
    try {
      return await turns.run(work, { line, charge: take });
    } finally {
      count(-1);
      take(-RESERVED_MS);
    }
  }

  /** Runs a task that cannot be cut into steps, in a turn. */
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
    message: "Your address has asked for more than this hub can do for one address at the moment.",
    hint: "Wait a few seconds. Programs should send fewer requests at once.",
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
