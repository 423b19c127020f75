import { lineOf } from "../base/address-line.ts";
import { LEAST_BYTES_PER_SECOND, SeatRate } from "../base/seat-rate.ts";

/**
 * This many connections of one line are never cut, however few seats there are: a browser opens
 * this many.
 */
const LINE_SPARED = 8;

export interface CappedConnection {
  /** Bytes moved so far, both ways. */
  readonly movedBytes: () => number;
  /** Ends the connection. The caller that admitted it learns of the end as usual. */
  readonly cut: () => void;
}

interface Admitted extends CappedConnection {
  readonly rate: SeatRate;
  isCut: boolean;
}

/**
 * Limits the open connections of one address; an IPv6 /64 counts as one address. When very many
 * connections are open, each new one evicts one that moves less than the minimum rate: the slowest
 * of the line with the most connections (HUB-47).
 */
export class ConnectionCap {
  readonly #limits: { readonly perAddress: number; readonly crowded: number };
  readonly #nowMs: () => number;
  readonly #open = new Map<string, Set<Admitted>>();
  #all = 0;

  /**
   * @param limits.crowded - Open connections of all addresses, from which on new ones evict others.
   */
  constructor(
    limits: { readonly perAddress: number; readonly crowded: number },
    nowMs: () => number,
  ) {
    this.#limits = limits;
    this.#nowMs = nowMs;
  }

  /**
   * @returns A function that ends the count of this connection, or `undefined` when its address has
   * enough.
   */
  admit(address: string, connection: CappedConnection): (() => void) | undefined {
    const key = lineOf(address);
    const mine = this.#open.get(key) ?? new Set();
    if (mine.size >= this.#limits.perAddress) return undefined;
    const now = this.#nowMs();
    if (this.#all >= this.#limits.crowded) this.#makeRoom(now);
    const admitted: Admitted = { ...connection, rate: new SeatRate(now), isCut: false };
    this.#open.set(key, mine.add(admitted));
    this.#all += 1;
    return () => {
      if (!mine.delete(admitted)) return;
      this.#all -= 1;
      if (mine.size === 0 && this.#open.get(key) === mine) this.#open.delete(key);
    };
  }

  /** Addresses with open connections. */
  get size(): number {
    return this.#open.size;
  }

  #makeRoom(now: number): void {
    const lines = [...this.#open.values()].filter(({ size }) => size > LINE_SPARED);
    for (const line of lines.toSorted((a, b) => b.size - a.size)) {
      const slowest = slowestOf(line, now);
      if (!slowest) continue;
      slowest.isCut = true;
      slowest.cut();
      return;
    }
  }
}

/** @returns The slowest connection among those below the minimum rate. */
function slowestOf(line: ReadonlySet<Admitted>, now: number): Admitted | undefined {
  let slowest: Admitted | undefined;
  let slowestRate = LEAST_BYTES_PER_SECOND;
  for (const admitted of line) {
    admitted.rate.reach(admitted.movedBytes(), now);
    const rate = admitted.rate.perSecond(now);
    if (rate === undefined || rate >= slowestRate || admitted.isCut) continue;
    [slowest, slowestRate] = [admitted, rate];
  }
  return slowest;
}
