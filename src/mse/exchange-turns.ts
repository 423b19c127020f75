import type { Clock } from "../ports/clock.ts";

/** Computations in one turn: about a millisecond in which nothing else happens. */
const TURN_COMPUTATIONS = 8;
/** Time from one turn to the next: key exchanges take a sixth of a core at most, whoever wants them (WIR-19). */
const TURN_MS = 5;
/** Connections that may wait for a turn: they come to theirs within a handshake's time. */
const WAITING_MAX = 8_192;

/** Two computations: a pair of keys and a secret, or either. */
interface Job {
  readonly computations: number;
  readonly run: () => void;
  isDropped: boolean;
}

/** The work of one connection, to be dropped when it has ended. */
export interface ExchangeTicket {
  job?: Job | undefined;
}

/**
 * Shares the time for key exchanges among the networks that peers come from, one connection of each in turn: 400
 * handshakes from one network keep neither a peer of another waiting, nor the blocks of a download (WIR-19).
 */
export class ExchangeTurns {
  readonly #clock: Clock;
  /** By network, the longest waiting first. */
  readonly #waiting = new Map<string, Job[]>();
  #waitingCount = 0;
  #left = TURN_COMPUTATIONS;
  #isTurnPlanned = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Connections that wait. */
  get waiting(): number {
    return this.#waitingCount;
  }

  /**
   * Computes now if the turn allows it, else in a later one.
   *
   * @param options.ticket - Belongs to the connection, which wants one thing at a time.
   * @returns `undefined` when too many wait.
   */
  compute<T>(
    compute: () => T,
    options: {
      readonly network: string;
      readonly computations: number;
      readonly ticket: ExchangeTicket;
    },
  ): T | Promise<T> | undefined {
    const { network, computations, ticket } = options;
    if (this.#waitingCount === 0 && this.#left > 0) {
      this.#take(computations);
      return compute();
    }
    if (this.#waitingCount >= WAITING_MAX) return undefined;
    return new Promise<T>((resolve) => {
      const run = (): void => {
        ticket.job = undefined;
        resolve(Promise.try(compute));
      };
      ticket.job = { computations, run, isDropped: false };
      const line = this.#waiting.get(network);
      if (line) line.push(ticket.job);
      else this.#waiting.set(network, [ticket.job]);
      this.#waitingCount += 1;
    });
  }

  /** The connection has ended. What it waits for is never computed, and its promise stays open. */
  drop(ticket: ExchangeTicket): void {
    if (ticket.job) ticket.job.isDropped = true;
    ticket.job = undefined;
  }

  #take(computations: number): void {
    this.#left -= computations;
    if (this.#isTurnPlanned) return;
    this.#isTurnPlanned = true;
    this.#clock.startTimer(TURN_MS, () => {
      this.#isTurnPlanned = false;
      this.#runTurn();
    });
  }

  #runTurn(): void {
    this.#left = TURN_COMPUTATIONS;
    while (this.#left > 0) {
      const job = this.#next();
      if (!job) break;
      this.#take(job.computations);
      job.run();
    }
  }

  /** The first of the network whose turn it is. */
  #next(): Job | undefined {
    for (const [network, line] of this.#waiting) {
      const job = line.shift()!;
      this.#waiting.delete(network);
      // Behind all the others.
      if (line.length > 0) this.#waiting.set(network, line);
      this.#waitingCount -= 1;
      if (!job.isDropped) return job;
    }
    return undefined;
  }
}
