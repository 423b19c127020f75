import { infohashKey, type Infohashes, wireInfohashes } from "../base/infohash.ts";
import { TokenBucket } from "../base/token-bucket.ts";
import type { Clock } from "../ports/clock.ts";
import type { Dht } from "./dht.ts";
import { scrapeSwarm, type SwarmEstimate } from "./peer-search.ts";

/** Torrents whose figures are kept; the one that was looked at longest ago goes first. */
const KEPT_MAX = 1000;
/** Nodes keep a peer for half an hour, so that newer figures would say little more. */
const FRESH_MS = 30 * 60_000;
/** After a search that no node answered. */
const RETRY_MS = 60_000;
/** Scrapes under way, and how many begin: a scrape is a lookup of some twenty queries. */
const SCRAPES_MAX = 4;
const SCRAPES = { burst: 8, perSecond: 0.5 };

/** How many take part in a torrent, as the DHT counts them. */
export interface CountedSwarm {
  readonly seeds: number;
  readonly leechers: number;
  /** When they were counted, in wall milliseconds. */
  readonly atMs: number;
}

interface Look {
  counted: CountedSwarm | undefined;
  /** Of the clock. */
  dueMs: number;
  isAsking: boolean;
}

/**
 * How many take part in torrents that people look at (BEP 33). A torrent is asked for when somebody looks, at most every half
 * hour, and all of them within a budget. Private torrents never come here (DHT-7).
 */
export class SwarmEstimates {
  readonly #dht: Dht;
  readonly #clock: Clock;
  readonly #budget: TokenBucket;
  /** By infohash; the one that was looked at last is the last. */
  readonly #looks = new Map<string, Look>();
  readonly #ends = new Set<() => void>();
  #asking = 0;

  constructor({ dht, clock }: { readonly dht: Dht; readonly clock: Clock }) {
    this.#dht = dht;
    this.#clock = clock;
    this.#budget = new TokenBucket(SCRAPES, clock.nowMs());
  }

  /** @returns What was counted last; `undefined` before the first answer. Asks for newer figures when they are old. */
  look(infohashes: Infohashes): CountedSwarm | undefined {
    const wires = wireInfohashes(infohashes);
    const key = infohashKey(wires[0]!);
    const known = this.#looks.get(key);
    const look = known ?? { counted: undefined, dueMs: 0, isAsking: false };
    const now = this.#clock.nowMs();
    const isDue = !look.isAsking && now >= look.dueMs && this.#dht.isJoined;
    if (isDue && this.#asking < SCRAPES_MAX && this.#budget.take(wires.length, now)) {
      this.#ask(look, wires);
    }
    // One that was not asked for takes no place: readers who look at everything displace nothing.
    else if (!known) return undefined;
    this.#looks.delete(key);
    this.#looks.set(key, look);
    const [oldest] = this.#looks.keys();
    if (this.#looks.size > KEPT_MAX) this.#looks.delete(oldest!);
    return look.counted;
  }

  /** @returns What was counted last, without asking. */
  known(infohashes: Infohashes): CountedSwarm | undefined {
    return this.#looks.get(infohashKey(wireInfohashes(infohashes)[0]!))?.counted;
  }

  close(): void {
    for (const end of this.#ends) end();
    this.#ends.clear();
  }

  #ask(look: Look, wires: readonly Uint8Array[]): void {
    look.isAsking = true;
    this.#asking += 1;
    const estimates: SwarmEstimate[] = [];
    for (const wire of wires) {
      const end = scrapeSwarm(this.#dht, wire, (estimate) => {
        this.#ends.delete(end);
        estimates.push(estimate);
        if (estimates.length === wires.length) this.#handleEnd(look, estimates);
      });
      this.#ends.add(end);
    }
  }

  #handleEnd(look: Look, estimates: readonly SwarmEstimate[]): void {
    this.#asking -= 1;
    look.isAsking = false;
    const isHeard = estimates.some(({ replies }) => replies > 0);
    look.dueMs = this.#clock.nowMs() + (isHeard ? FRESH_MS : RETRY_MS);
    if (!isHeard) return;
    // A hybrid torrent has two swarms, whose members are mostly the same.
    look.counted = {
      seeds: Math.max(...estimates.map(({ seeds }) => seeds)),
      leechers: Math.max(...estimates.map(({ leechers }) => leechers)),
      atMs: this.#clock.wallMs(),
    };
  }
}
