import { lineOf } from "../base/address-line.ts";
import { LineLoads } from "../base/line-loads.ts";
import { LEAST_BYTES_PER_SECOND, SeatRate } from "../base/seat-rate.ts";

/**
 * A line with at most this many connections never loses one, however few seats there are: a
 * browser opens this many.
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
 * Limits the open connections of one address; an IPv6 /64 counts as one address, and a /48 as no
 * more than sixteen (TRK-23). When very many connections are open, each new one evicts one that
 * moves less than the minimum rate: the slowest of the line that counts for the most connections
 * (HUB-47).
 */
export class ConnectionCap {
  readonly #limits: { readonly perAddress: number; readonly crowded: number };
  readonly #nowMs: () => number;
  readonly #open = new Map<string, Set<Admitted>>();
  readonly #loads = new LineLoads();
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
    if (this.#loads.of(key) >= this.#limits.perAddress) return undefined;
    const now = this.#nowMs();
    if (this.#all >= this.#limits.crowded) this.#makeRoom(now);
    const admitted: Admitted = { ...connection, rate: new SeatRate(now), isCut: false };
    this.#open.set(key, mine.add(admitted));
    this.#loads.add(key);
    this.#all += 1;
    return () => {
      if (!mine.delete(admitted)) return;
      this.#loads.remove(key);
      this.#all -= 1;
      if (mine.size === 0 && this.#open.get(key) === mine) this.#open.delete(key);
    };
  }

  /** Addresses with open connections. */
  get size(): number {
    return this.#open.size;
  }

  #makeRoom(now: number): void {
    const lines = [...this.#open]
      .map(([key, line]) => ({ line, load: this.#loads.of(key) }))
      .filter(({ load }) => load > LINE_SPARED);
    for (const { line } of lines.toSorted((a, b) => b.load - a.load)) {
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
