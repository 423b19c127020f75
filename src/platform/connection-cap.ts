import { lineOf } from "../base/address-line.ts";

/** Connections one address may have open at once; whoever has an IPv6 line has a /64 of addresses. */
export class ConnectionCap {
  readonly #perAddressMax: number;
  readonly #open = new Map<string, number>();

  constructor(perAddressMax: number) {
    this.#perAddressMax = perAddressMax;
  }

  /** @returns What ends the count of this connection, or `undefined` when the address has enough of them. */
  admit(address: string): (() => void) | undefined {
    const key = lineOf(address);
    const count = this.#open.get(key) ?? 0;
    if (count >= this.#perAddressMax) return undefined;
    this.#open.set(key, count + 1);
    return () => {
      const left = (this.#open.get(key) ?? 0) - 1;
      if (left > 0) this.#open.set(key, left);
      else this.#open.delete(key);
    };
  }

  /** Addresses with open connections. */
  get size(): number {
    return this.#open.size;
  }
}
