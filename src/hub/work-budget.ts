import { lineOf, placeOf, siteOf } from "../base/address-line.ts";
import { LineLoads } from "../base/line-loads.ts";
import { oneStep, type Work } from "../base/work.ts";
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
/**
 * An IPv6 /48 may spend as much as this many addresses. `SITE_SHARES` addresses together would be allowed more than the
 * thread has.
 */
const SITE_ALLOWANCES = 4;
/** The fixed price of a request that is not answered from memory, besides the measured work. */
const REQUEST_MS = 1;
/** Reserved for a task until its cost is known, and given back when it has ended. */
const RESERVED_MS = 20;
/** A request that is partly done may start this many times as many tasks, so that the part was not wasted. */
const BEGUN_FACTOR = 2;
/** Remembered addresses and sites, in two generations of half as many. */
const ADDRESSES_MAX = 20_000;

interface Balance {
  leftMs: number;
  atMs: number;
}

/**
 * Limits the cost of each address. An address that spent its allowance is told to wait, so that the thread is there
 * for the others; answers from memory are free. An IPv6 /64 counts as one address, and a /48 as four; in tasks
 * and turns it counts as no more than sixteen (TRK-23).
 */
export class WorkBudget {
  readonly #clock: Clock;
  readonly #turns: Turns;
  /** Addresses and sites seen in this generation. When it is full, it becomes the old generation. */
  #balances = new Map<string, Balance>();
  #oldBalances = new Map<string, Balance>();
  /** Tasks in progress by address: of strangers, and of known people. */
  readonly #strangersTasks = new LineLoads();
  readonly #knownTasks = new LineLoads();
  #tasksOfAll = 0;

  constructor(clock: Clock, turns: Turns) {
    this.#clock = clock;
    this.#turns = turns;
  }

  /** Remembered addresses and sites; some may be counted twice. */
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
    const kind = isKnown ? "known" : "stranger";
    const line = lineOf(address);
    const site = siteOf(line);
    const own = (): Balance => this.#balance(`${kind} ${line}`, allowance);
    // A site spends from the balance of one address, at a fraction of the price.
    const shared = (): Balance | undefined =>
      site === undefined ? undefined : this.#balance(`${kind} ${site}`, allowance);
    const tasks = isKnown ? this.#knownTasks : this.#strangersTasks;
    return new WorkAccount({
      turns: this.#turns,
      line: `${kind} ${placeOf(line)}`,
      allowance,
      left: () => Math.min(own().leftMs, shared()?.leftMs ?? Number.POSITIVE_INFINITY),
      take: (ms) => {
        own().leftMs -= ms;
        const balance = shared();
        if (balance) balance.leftMs -= ms / SITE_ALLOWANCES;
      },
      tasks: () => ({ mine: tasks.of(line), ofAll: this.#tasksOfAll }),
      count: (change) => {
        this.#tasksOfAll += change;
        if (change > 0) tasks.add(line);
        else tasks.remove(line);
      },
    });
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
  /** The place in the circle of turns. */
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
