/** Numbers of packets and clocks of uTP: they wrap around, so order is a question of distance. */

const SEQUENCES = 0x1_0000;

/** The number that is `count` packets later; `count` may be negative. */
export function sequenceAfter(sequence: number, count: number): number {
  return (sequence + count) & (SEQUENCES - 1);
}

/** @returns How many packets `later` is after `earlier`: -32768 to 32767. */
export function sequenceDistance(earlier: number, later: number): number {
  return ((later - earlier) << 16) >> 16;
}

/** Microseconds of a clock in milliseconds, as a packet carries them: the low 32 bits. */
export function toMicroseconds(nowMs: number): number {
  return Math.floor((nowMs * 1000) % 2 ** 32) >>> 0;
}

/** @returns How much later `later` is, in microseconds: -2^31 to 2^31 - 1. */
export function microsecondsBetween(earlier: number, later: number): number {
  return (later - earlier) | 0;
}
