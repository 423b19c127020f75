// What is known of a peer besides its address, in one word: port (16 bits), three flags, and when it last
// announced (13 bits, in ticks). Zero is no peer, because no peer has port 0.

/** Seconds of a tick: 13 bits of them are three days. */
export const TICK_S = 32;
/** The longest time without an announce that can be told from a short one. */
export const IDLE_TICKS_MAX = 8000;

const TIME_SHIFT = 19;
const TIME_MASK = 0x1fff;
const FLAGS = 0x70000;

/** It has everything. */
export const SEED = 0x10000;
/** It has what it wants, and fetches nothing more (BEP 21). */
export const PARTIAL_SEED = 0x20000;
/** Its completion has been counted, or lies before its time here (TRK-16). */
export const COMPLETED = 0x40000;

export function peerWord(port: number, flags: number, tick: number): number {
  return port | flags | ((tick & TIME_MASK) << TIME_SHIFT);
}

export function portOf(word: number): number {
  return word & 0xffff;
}

export function flagsOf(word: number): number {
  return word & FLAGS;
}

/** Ticks since it announced. */
export function idleTicks(word: number, tick: number): number {
  return (tick - (word >>> TIME_SHIFT)) & TIME_MASK;
}
