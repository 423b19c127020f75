import { lineOf } from "../base/address-line.ts";
import { LineLoads } from "../base/line-loads.ts";
import { LEAST_BYTES_PER_SECOND, SeatRate } from "../base/seat-rate.ts";
import type { Clock } from "../ports/clock.ts";

/** The place of one long answer. */
export interface Seat {
  /** Counts bytes that were sent. */
  count(bytes: number): void;
  /** Gives the seat back; safe to repeat. */
  leave(): void;
}

interface TakenSeat {
  readonly line: string;
  readonly rate: SeatRate;
  bytes: number;
  readonly onTaken: () => void;
}

/**
 * Limits the long answers in progress, in total, for each address, and for each IPv6 site (TRK-23). When all seats are
 * taken, a reader slower than the least rate makes room: the slowest of the line that counts for most seats, if that is
 * more than the asker's (HUB-47).
 */
export class StreamSeats {
  readonly #limits: { readonly all: number; readonly perAddress: number };
  readonly #clock: Pick<Clock, "nowMs">;
  readonly #lines = new Map<string, Set<TakenSeat>>();
  readonly #loads = new LineLoads();
  #all = 0;

  constructor(
    limits: { readonly all: number; readonly perAddress: number },
    clock: Pick<Clock, "nowMs">,
  ) {
    this.#limits = limits;
    this.#clock = clock;
  }

  /**
   * @param onTaken - Called after the seat was given to somebody else: it must end the answer.
   * @returns `undefined` when there is no seat.
   */
  take(address: string, onTaken: () => void): Seat | undefined {
    const line = lineOf(address);
    const now = this.#clock.nowMs();
    const load = this.#loads.of(line);
    if (load >= this.#limits.perAddress) return undefined;
    if (this.#all >= this.#limits.all && !this.#makeRoom(load, now)) return undefined;
    const seat: TakenSeat = { line, rate: new SeatRate(now), bytes: 0, onTaken };
    const mine = this.#lines.get(line) ?? new Set();
    this.#lines.set(line, mine.add(seat));
    this.#loads.add(line);
    this.#all += 1;
    return {
      count: (bytes) => {
        seat.bytes += bytes;
        seat.rate.reach(seat.bytes, this.#clock.nowMs());
      },
      leave: () => this.#leave(seat),
    };
  }

  #leave(seat: TakenSeat): void {
    const mine = this.#lines.get(seat.line);
    if (mine?.delete(seat) !== true) return;
    this.#loads.remove(seat.line);
    this.#all -= 1;
    if (mine.size === 0) this.#lines.delete(seat.line);
  }

  /** @param mine - Seats that the asker's line counts for. */
  #makeRoom(mine: number, now: number): boolean {
    let slowest: TakenSeat | undefined;
    let seats = mine;
    let slowestRate = LEAST_BYTES_PER_SECOND;
    for (const [key, line] of this.#lines) {
      const load = this.#loads.of(key);
      if (load < seats || load <= mine) continue;
      for (const seat of line) {
        const rate = seat.rate.perSecond(now) ?? LEAST_BYTES_PER_SECOND;
        if (rate >= LEAST_BYTES_PER_SECOND) continue;
        if (load === seats && rate >= slowestRate) continue;
        [slowest, slowestRate, seats] = [seat, rate, load];
      }
    }
    if (!slowest) return false;
    this.#leave(slowest);
    slowest.onTaken();
    return true;
  }
}
