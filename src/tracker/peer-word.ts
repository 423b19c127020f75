// One word holds what is known of a peer besides its address: its port (16 bits), three flags, and
// the tick of its last announce (13 bits). Zero means no peer, because no peer has port 0.

/** Seconds in a tick; 13 bits of ticks cover three days. */
export const TICK_S = 32;
/** The longest silence that 13 bits can still tell from a short one. */
export const IDLE_TICKS_MAX = 8000;

const TIME_SHIFT = 19;
const TIME_MASK = 0x1fff;
const FLAGS = 0x70000;

/** The peer has everything. */
export const SEED = 0x10000;
/** The peer has all it wants and fetches no more (BEP 21). */
export const PARTIAL_SEED = 0x20000;
/** Its completion was counted, or happened before it came here (TRK-16). */
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

/** Ticks since the last announce. */
export function idleTicks(word: number, tick: number): number {
  return (tick - (word >>> TIME_SHIFT)) & TIME_MASK;
}
