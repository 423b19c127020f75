/** What was seen last of a router's count of seconds. */
interface Seen {
  readonly epochSeconds: number;
  readonly atMs: number;
}

/** Seconds that the two clocks may differ. */
const SLACK_SECONDS = 2;

/**
 * Notices that a router has restarted and lost its mappings: its count of seconds is not where our clock expects it.
 * A reply repeats the count, so that a restart shows with the next one.
 */
export class RouterClock {
  readonly #isRestart: (serverSeconds: number, ourSeconds: number) => boolean;
  #seen: Seen | undefined;

  private constructor(isRestart: (serverSeconds: number, ourSeconds: number) => boolean) {
    this.#isRestart = isRestart;
  }

  /** The rule of RFC 6886, 3.6: the count must have advanced by 7/8 of what passed here. */
  static natPmp(): RouterClock {
    return new RouterClock((server, ours) => server < (ours * 7) / 8 - SLACK_SECONDS);
  }

  /** The rule of RFC 6887, 8.5: neither clock may be a sixteenth faster than the other. */
  static pcp(): RouterClock {
    return new RouterClock(
      (server, ours) =>
        server < -1 ||
        ours + SLACK_SECONDS < server - server / 16 ||
        server + SLACK_SECONDS < ours - ours / 16,
    );
  }

  /** @returns True when the router has restarted since the last call. */
  see(epochSeconds: number, nowMs: number): boolean {
    const before = this.#seen;
    this.#seen = { epochSeconds, atMs: nowMs };
    if (!before) return false;
    return this.#isRestart(
      epochSeconds - before.epochSeconds,
      Math.floor((nowMs - before.atMs) / 1000),
    );
  }
}
