import type { Clock } from "../ports/clock.ts";

const SLOT_MS = 1_000;
/** The speed covers the last whole slots, so that it drops to 0 soon after the last byte. */
const SLOTS = 5;

/** One answer in progress. */
export interface DirectDownload {
  /** Counts bytes that were sent. */
  count(bytes: number): void;
  /** Ends it, for whatever reason. Safe to repeat. */
  end(): void;
}

interface Traffic {
  readonly running: Set<() => void>;
  /** Bytes of each slot; the index is the slot's number modulo the count of slots. */
  readonly bytes: number[];
  slot: number;
}

/**
 * HTTP downloads of files and archives, by torrent: measures their speed, and ends them when the torrent is removed.
 */
export class DirectDownloads {
  readonly #clock: Pick<Clock, "nowMs">;
  readonly #traffic = new Map<string, Traffic>();

  constructor(clock: Pick<Clock, "nowMs">) {
    this.#clock = clock;
  }

  /** @param stop - Aborts the answer. */
  begin(torrentId: string, stop: () => void): DirectDownload {
    const traffic = this.#turn(torrentId) ?? {
      running: new Set(),
      bytes: Array.from({ length: SLOTS + 1 }, () => 0),
      slot: this.#slot(),
    };
    this.#traffic.set(torrentId, traffic);
    traffic.running.add(stop);
    return {
      count: (bytes) => {
        this.#turn(torrentId);
        const at = traffic.slot % traffic.bytes.length;
        traffic.bytes[at] = traffic.bytes[at]! + bytes;
      },
      end: () => {
        traffic.running.delete(stop);
      },
    };
  }

  /** The speed of all downloads of this torrent. */
  bytesPerSecond(torrentId: string): number {
    const traffic = this.#turn(torrentId);
    if (!traffic) return 0;
    const now = traffic.slot % traffic.bytes.length;
    const sum = traffic.bytes.reduce((all, bytes, at) => (at === now ? all : all + bytes), 0);
    if (sum === 0 && traffic.bytes[now] === 0 && traffic.running.size === 0) {
      this.#traffic.delete(torrentId);
    }
    return (sum * 1000) / (SLOTS * SLOT_MS);
  }

  /** Aborts the running downloads, so that nothing of this torrent is sent any more. */
  stop(torrentId: string): void {
    const traffic = this.#traffic.get(torrentId);
    this.#traffic.delete(torrentId);
    for (const stop of traffic?.running ?? []) stop();
  }

  #slot(): number {
    return Math.floor(this.#clock.nowMs() / SLOT_MS);
  }

  /** Clears the slots that have begun since the last call. */
  #turn(torrentId: string): Traffic | undefined {
    const traffic = this.#traffic.get(torrentId);
    if (!traffic) return undefined;
    const slot = this.#slot();
    const { bytes } = traffic;
    const first = Math.max(traffic.slot + 1, slot - SLOTS);
    for (let each = first; each <= slot; each += 1) bytes[each % bytes.length] = 0;
    traffic.slot = slot;
    return traffic;
  }
}
