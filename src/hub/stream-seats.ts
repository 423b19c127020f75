import { lineOf } from "../base/address-line.ts";

/** How many long answers may be under way, at all and for one address. */
export class StreamSeats {
  readonly #limits: { readonly all: number; readonly perAddress: number };
  readonly #taken = new Map<string, number>();
  #all = 0;

  constructor(limits: { readonly all: number; readonly perAddress: number }) {
    this.#limits = limits;
  }

  /** @returns What gives the seat back, harmless to repeat; `undefined` when there is none. */
  take(address: string): (() => void) | undefined {
    const line = lineOf(address);
    const mine = this.#taken.get(line) ?? 0;
    if (this.#all >= this.#limits.all || mine >= this.#limits.perAddress) return undefined;
    this.#all += 1;
    this.#taken.set(line, mine + 1);
    let isTaken = true;
    return () => {
      if (!isTaken) return;
      isTaken = false;
      this.#all -= 1;
      const left = this.#taken.get(line)! - 1;
      if (left > 0) this.#taken.set(line, left);
      else this.#taken.delete(line);
    };
  }
}
