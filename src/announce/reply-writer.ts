import { invariant } from "../base/errors.ts";

const ZERO = 0x30;

/**
 * Builds one bencoded reply in a buffer that is reused. Writers of replies emit keys in sorted order themselves: a
 * `Map` for each announce would cost more than the announce.
 */
export class ReplyWriter {
  readonly bytes: Uint8Array;
  length = 0;

  constructor(capacityBytes: number) {
    this.bytes = new Uint8Array(capacityBytes);
  }

  reset(): void {
    this.length = 0;
  }

  /** Writes a constant that was encoded before. */
  raw(part: Uint8Array): void {
    this.range(part, 0, part.length);
  }

  range(source: Uint8Array, start: number, end: number): void {
    const { bytes } = this;
    invariant(
      this.length + end - start <= bytes.length,
      "every reply has a bound below the capacity",
    );
    let at = this.length;
    for (let from = start; from < end; from += 1) {
      bytes[at] = source[from]!;
      at += 1;
    }
    this.length = at;
  }

  /** Decimal digits of a whole number from 0 to 2^53-1. */
  digits(value: number): void {
    let divisor = 1;
    while (value / divisor >= 10) divisor *= 10;
    let rest = value;
    while (divisor >= 1) {
      const digit = Math.floor(rest / divisor);
      this.bytes[this.length] = ZERO + digit;
      this.length += 1;
      rest -= digit * divisor;
      divisor /= 10;
    }
  }

  /** @returns A copy of the reply's bytes. */
  take(): Uint8Array {
    return this.bytes.slice(0, this.length);
  }
}
