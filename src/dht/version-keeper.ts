import { toHex } from "../base/bytes.ts";
import { TokenBucket } from "../base/token-bucket.ts";
import type { Clock, Timer } from "../ports/clock.ts";
import type { Random } from "../ports/random.ts";
import type { Signatures } from "../ports/signatures.ts";
import type { Dht } from "./dht.ts";
import { type MutableItem, placeOf, targetOf } from "./item.ts";
import { type ItemPutResult, keepItem } from "./item-search.ts";
import type { PublicationPlace } from "./mutable-torrent.ts";

/** Nodes forget an item after two hours; BEP 44 asks for a put each hour. Chance makes it up to a quarter sooner. */
const KEEP_MS = 60 * 60_000;
/** After a put that no node took; doubled each time. */
const RETRY_MS = 30_000;
const RETRY_MS_MAX = 10 * 60_000;
/** Puts under way. */
const PUTS_MAX = 8;
/** Queries of one put: the lookup, and the nodes that get the item. */
const PUT_QUERIES = 30;
/** Queries a second for all items together. */
const QUERIES_PER_SECOND = 40;
/** Items that this rate stores again within the hour. */
export const KEPT_VERSIONS_MAX = 4000;
/** Between two looks while no network is joined, and at most. */
const LOOK_AWAY_MS = 1000;
const LOOK_MS_MAX = 60_000;

export interface VersionKeeperOptions {
  readonly dht: Dht;
  readonly clock: Clock;
  readonly random: Random;
  readonly signatures: Signatures;
}

/** What became of a kept version. */
export interface KeptVersionStatus {
  /** When nodes last took it, in wall milliseconds; `undefined` before the first time. */
  readonly storedMs: number | undefined;
  /** Nodes that took it then. */
  readonly nodes: number;
  /** The sequence number of a newer version that the network has. */
  readonly newer: bigint | undefined;
}

interface Kept {
  /** As it was handed over. */
  readonly item: MutableItem;
  /** What is stored: the item, or a newer one that the network had. */
  newest: MutableItem;
  storedMs: number | undefined;
  nodes: number;
  dueMs: number;
  retryMs: number;
  /** Ends the put under way. */
  end: (() => void) | undefined;
}

/**
 * Stores the versions of many publications in the DHT again and again, so that their keys find them while their publishers
 * are away; that needs no secret key (BEP 44, 46). A budget bounds the queries, and chance spreads the puts over the hour.
 */
export class VersionKeeper {
  readonly #options: VersionKeeperOptions;
  readonly #budget: TokenBucket;
  readonly #kept = new Map<string, Kept>();
  #putting = 0;
  #timer: Timer | undefined;
  #isClosed = false;

  constructor(options: VersionKeeperOptions) {
    this.#options = options;
    const rate = { perSecond: QUERIES_PER_SECOND, burst: PUT_QUERIES * PUTS_MAX };
    this.#budget = new TokenBucket(rate, options.clock.nowMs());
  }

  /** Keeps a version from now on, in place of an older one. Safe to repeat. */
  keep(item: MutableItem): void {
    const key = keyOf(item);
    const known = this.#kept.get(key);
    if (known?.item.sequence === item.sequence) return;
    if (known) this.drop(item);
    this.#kept.set(key, {
      item,
      newest: item,
      storedMs: undefined,
      nodes: 0,
      dueMs: this.#options.clock.nowMs(),
      retryMs: RETRY_MS,
      end: undefined,
    });
    this.#lookIn(0);
  }

  /** Keeps a publication no more: nodes forget it within two hours. */
  drop(place: PublicationPlace): void {
    const key = keyOf(place);
    const known = this.#kept.get(key);
    if (!known) return;
    this.#kept.delete(key);
    if (!known.end) return;
    known.end();
    this.#putting -= 1;
    this.#lookIn(0);
  }

  /** @returns `undefined` for a publication that is not kept. */
  statusOf(place: PublicationPlace): KeptVersionStatus | undefined {
    const kept = this.#kept.get(keyOf(place));
    if (!kept) return undefined;
    const { item, newest, storedMs, nodes } = kept;
    const newer = newest.sequence > item.sequence ? newest.sequence : undefined;
    return { storedMs, nodes, newer };
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
    for (const { end } of this.#kept.values()) end?.();
  }

  #lookIn(delayMs: number): void {
    if (this.#isClosed) return;
    this.#timer?.cancel();
    this.#timer = this.#options.clock.startTimer(Math.ceil(delayMs), () => this.#look());
  }

  /** Begins the puts that are due, as far as the budget goes. */
  #look(): void {
    const { dht, clock } = this.#options;
    if (this.#kept.size === 0) return;
    const now = clock.nowMs();
    if (!dht.isJoined) {
      this.#lookIn(LOOK_AWAY_MS);
      return;
    }
    let nextMs = now + LOOK_MS_MAX;
    for (const kept of this.#kept.values()) {
      // The end of one looks again.
      if (this.#putting >= PUTS_MAX) return;
      if (kept.end) continue;
      if (kept.dueMs > now) {
        nextMs = Math.min(nextMs, kept.dueMs);
        continue;
      }
      if (!this.#budget.take(PUT_QUERIES, now)) {
        nextMs = now + this.#budget.waitMs(PUT_QUERIES, now);
        break;
      }
      this.#put(kept);
    }
    this.#lookIn(Math.max(1, nextMs - now));
  }

  #put(kept: Kept): void {
    const { dht, signatures } = this.#options;
    const item = kept.newest;
    this.#putting += 1;
    kept.end = () => undefined;
    const end = keepItem(dht, { item, place: placeOf(item), signatures }, (result) =>
      this.#handlePut(kept, result),
    );
    kept.end &&= end;
  }

  #handlePut(kept: Kept, { item, stored }: ItemPutResult): void {
    // It was dropped meanwhile.
    if (this.#kept.get(keyOf(kept.item)) !== kept) return;
    const { clock, random } = this.#options;
    const now = clock.nowMs();
    this.#putting -= 1;
    kept.end = undefined;
    if (item?.kind === "mutable") kept.newest = item;
    if (stored > 0) {
      kept.storedMs = clock.wallMs();
      kept.nodes = stored;
      kept.retryMs = RETRY_MS;
      kept.dueMs = now + KEEP_MS - random.below(KEEP_MS / 4);
    } else {
      kept.dueMs = now + kept.retryMs;
      kept.retryMs = Math.min(kept.retryMs * 2, RETRY_MS_MAX);
    }
    this.#lookIn(0);
  }
}

function keyOf(place: PublicationPlace): string {
  const { publicKey, salt } = place;
  return toHex(targetOf({ kind: "mutable", publicKey, salt }));
}
