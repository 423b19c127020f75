import { BLOCK_BYTES } from "../../base/geometry.ts";
import type { RateLimit } from "./rate-limit.ts";
import type { Supply } from "./turn-ring.ts";

/** A turn is worth the bytes that pass in this time, divided among those that wait... */
const TURN_MS = 50;
/** ...within these bounds. The minimum is a block, the maximum is what a fast peer gets at once. */
const TURN_BYTES_MIN = BLOCK_BYTES;
const TURN_BYTES_MAX = 256 * 1024;

/** A limit of bytes a second as a supply for turns. */
export function rateSupply(limit: RateLimit): Supply {
  return {
    available: (now) => limit.available(now),
    take: (bytes, now) => limit.take(bytes, now),
    nextAvailable: (now) => limit.nextAvailable(now),
    unitsMin: TURN_BYTES_MIN,
    quantum: (waiting) => {
      const bytes = (limit.bytesPerSecond * TURN_MS) / 1000 / waiting;
      return Math.min(TURN_BYTES_MAX, Math.max(TURN_BYTES_MIN, bytes));
    },
  };
}
