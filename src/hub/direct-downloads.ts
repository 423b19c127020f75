import type { Clock } from "../ports/clock.ts";

const SLOT_MS = 1_000;
/** The speed is that of the last whole slots, so that it reads 0 soon after the last byte. */
const SLOTS = 5;

/** One answer that is under way. */
export interface DirectDownload {
  /** Bytes went out. */
  count(bytes: number): void;
  /** It ended, whichever end that was. Safe to repeat. */
  end(): void;
}

interface Traffic {
  readonly running: Set<() => void>;
  /** Bytes of each slot, the slot's number modulo their count. */
  readonly bytes: number[];
  slot: number;
}

/** Downloads by HTTP, files and archives, by their torrents: how fast they go, and an end when it is taken back. */
export class DirectDownloads {
  readonly #clock: Pick<Clock, "nowMs">;
  readonly #traffic = new Map<string, Traffic>();

  constructor(clock: Pick<Clock, "nowMs">) {
    this.#clock = clock;
  }

  /** @param stop - Breaks the answer off. */
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

  /** Of all that is under way for this torrent. */
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

  /** Breaks off what is under way: nothing of this torrent is given away any more. */
  stop(torrentId: string): void {
    const traffic = this.#traffic.get(torrentId);
    this.#traffic.delete(torrentId);
    for (const stop of traffic?.running ?? []) stop();
  }

  #slot(): number {
    return Math.floor(this.#clock.nowMs() / SLOT_MS);
  }

  /** Empties the slots that began since. */
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
