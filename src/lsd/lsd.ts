import { toHex } from "../base/bytes.ts";
import type { Endpoint } from "../base/endpoint.ts";
import { TokenBucket } from "../base/token-bucket.ts";
import type { Clock, Timer } from "../ports/clock.ts";
import type { Random } from "../ports/random.ts";
import {
  type BtSearch,
  decodeBtSearch,
  encodeBtSearch,
  LSD_GROUPS,
  SEARCH_INFOHASHES_MAX,
} from "./bt-search.ts";

/** Between two announces of a torrent, as libtorrent does it. */
const INTERVAL_MS = 5 * 60_000;
/** Torrents that are added together go in one packet. */
const GATHER_MS = 200;
/** One packet a minute (BEP 14), and some at once: somebody who begins to look should not wait for a minute. */
const SENT = { perSecond: 1 / 60, burst: 5 } as const;
/** Between two packets in any case. */
const GAP_MS = 1_000;

/** Packets of one neighbour that are read, and of all together (WIR-25). A neighbour with 100 torrents sends one in 3 s. */
const HEARD_FROM_ONE = { perSecond: 2, burst: 50 } as const;
const HEARD = { perSecond: 100, burst: 500 } as const;
/** Neighbours whose rate is known; beyond that the one that was heard first is forgotten. */
const NEIGHBOURS_MAX = 256;
/** Infohashes that are passed on because nobody searches them here: those of one packet, and one in 5 s. */
const PASSED_ON = { perSecond: 1 / 5, burst: SEARCH_INFOHASHES_MAX } as const;

export interface LsdOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Sends a packet to a group, on all links. It may be lost. */
  readonly send: (packet: Uint8Array, group: Endpoint) => void;
  /** Where peers connect to us. */
  readonly port: () => number;
  /** Whether an address is in our own network: no other is heard (WIR-25). */
  readonly isNear: (address: string) => boolean;
  /** A neighbour has, or looks for, a torrent that nobody searches here. It may sleep here. */
  readonly onUnknown?: ((infohash: Uint8Array) => void) | undefined;
}

/** A torrent that neighbours are looked for. */
export interface LsdSearch {
  /** Neighbours are told of it from now on. */
  announce(): void;
  end(): void;
}

interface Entry {
  readonly infohash: Uint8Array;
  readonly listeners: Set<(peer: Endpoint) => void>;
  /** False while nobody may know that we look for it. */
  isAnnounced: boolean;
  sentAtMs: number | undefined;
}

/**
 * Finds peers on the same link (BEP 14): tells the group which torrents we have or look for, and hears what others tell
 * it. Torrents share packets and take turns: with more than 120 of them the turn comes later than each five minutes.
 */
export class Lsd {
  readonly #options: LsdOptions;
  readonly #cookie: string;
  readonly #entries = new Map<string, Entry>();
  readonly #sent: TokenBucket;
  readonly #heard: TokenBucket;
  readonly #passedOn: TokenBucket;
  readonly #neighbours = new Map<string, TokenBucket>();
  #sentAtMs = Number.NEGATIVE_INFINITY;
  #timer: Timer | undefined;
  #isClosed = false;

  constructor(options: LsdOptions) {
    this.#options = options;
    const now = options.clock.nowMs();
    this.#cookie = toHex(options.random.bytes(8));
    this.#sent = new TokenBucket(SENT, now);
    this.#heard = new TokenBucket(HEARD, now);
    this.#passedOn = new TokenBucket(PASSED_ON, now);
  }

  /** @param onPeer - Told of each neighbour that announces the torrent, again with each announce. */
  search(infohash: Uint8Array, onPeer: (peer: Endpoint) => void): LsdSearch {
    const key = toHex(infohash);
    const entry = this.#entries.get(key) ?? {
      infohash,
      listeners: new Set(),
      isAnnounced: false,
      sentAtMs: undefined,
    };
    this.#entries.set(key, entry);
    entry.listeners.add(onPeer);
    return {
      announce: () => {
        if (entry.isAnnounced || this.#entries.get(key) !== entry) return;
        entry.isAnnounced = true;
        this.#schedule();
      },
      end: () => {
        entry.listeners.delete(onPeer);
        if (entry.listeners.size === 0 && this.#entries.get(key) === entry)
          this.#entries.delete(key);
      },
    };
  }

  /** @param packet - Borrowed for the call. */
  receive(packet: Uint8Array, from: Endpoint): void {
    const now = this.#options.clock.nowMs();
    if (this.#isClosed || !this.#options.isNear(from.address) || !this.#mayHear(from, now)) return;
    const search = decodeBtSearch(packet);
    if (!search || search.cookie === this.#cookie) return;
    const peer = { address: from.address, port: search.port };
    for (const infohash of search.infohashes) {
      const entry = this.#entries.get(toHex(infohash));
      if (entry) for (const onPeer of entry.listeners) onPeer(peer);
      else if (this.#options.onUnknown && this.#passedOn.take(1, now)) {
        this.#options.onUnknown(infohash);
      }
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
    this.#entries.clear();
  }

  #mayHear({ address }: Endpoint, now: number): boolean {
    let rate = this.#neighbours.get(address);
    if (!rate) {
      if (this.#neighbours.size >= NEIGHBOURS_MAX) {
        this.#neighbours.delete(this.#neighbours.keys().next().value!);
      }
      rate = new TokenBucket(HEARD_FROM_ONE, now);
      this.#neighbours.set(address, rate);
    }
    return rate.take(1, now) && this.#heard.take(1, now);
  }

  /** What is to be announced at that time, what has waited for longest first. */
  #due(now: number): Entry[] {
    const due = [...this.#entries.values()].filter(
      ({ isAnnounced, sentAtMs }) =>
        isAnnounced && (sentAtMs === undefined || now - sentAtMs >= INTERVAL_MS),
    );
    return due.toSorted((a, b) => (a.sentAtMs ?? -1) - (b.sentAtMs ?? -1));
  }

  #schedule(): void {
    if (this.#isClosed) return;
    this.#timer?.cancel();
    const now = this.#options.clock.nowMs();
    const waitMs = Math.max(
      this.#untilDueMs(now),
      this.#sent.waitMs(1, now),
      this.#sentAtMs + GAP_MS - now,
    );
    this.#timer = Number.isFinite(waitMs)
      ? this.#options.clock.startTimer(waitMs, () => this.#send())
      : undefined;
  }

  #untilDueMs(now: number): number {
    let soonestMs = Number.POSITIVE_INFINITY;
    for (const { isAnnounced, sentAtMs } of this.#entries.values()) {
      if (!isAnnounced) continue;
      const waitMs = sentAtMs === undefined ? GATHER_MS : sentAtMs + INTERVAL_MS - now;
      soonestMs = Math.min(soonestMs, Math.max(waitMs, GATHER_MS));
    }
    return soonestMs;
  }

  #send(): void {
    const now = this.#options.clock.nowMs();
    const due = this.#due(now).slice(0, SEARCH_INFOHASHES_MAX);
    const port = this.#options.port();
    if (due.length > 0 && port !== 0 && this.#sent.take(1, now)) {
      this.#sentAtMs = now;
      for (const entry of due) entry.sentAtMs = now;
      const infohashes = due.map(({ infohash }) => infohash);
      const search: BtSearch = { port, infohashes, cookie: this.#cookie };
      for (const group of LSD_GROUPS) this.#options.send(encodeBtSearch(search, group), group);
    }
    this.#schedule();
  }
}
