import type { Clock, Timer } from "../ports/clock.ts";

// setTimeout takes 31 bits; a longer delay would fire at once.
const HOP_MS_MAX = 0x7fff_ffff;

/** The machine's clocks: the monotonic one for intervals (STO-8), the wall clock for dates. */
export class NodeClock implements Clock {
  nowMs(): number {
    return performance.now();
  }

  wallMs(): number {
    return Date.now();
  }

  startTimer(delayMs: number, fire: () => void): Timer {
    const dueMs = performance.now() + delayMs;
    let handle: NodeJS.Timeout | undefined;
    const arm = (): void => {
      const leftMs = dueMs - performance.now();
      // The event loop counts whole milliseconds and may wake up almost one too early.
      handle = setTimeout(ring, Math.min(Math.max(Math.ceil(leftMs), 0), HOP_MS_MAX));
    };
    const ring = (): void => {
      if (performance.now() < dueMs) arm();
      else fire();
    };
    arm();
    return { cancel: () => clearTimeout(handle) };
  }
}
