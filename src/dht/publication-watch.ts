import type { Clock, Timer } from "../ports/clock.ts";
import type { Random } from "../ports/random.ts";
import type { Signatures } from "../ports/signatures.ts";
import type { Dht } from "./dht.ts";
import { type MutableItem, placeOf } from "./item.ts";
import { getItem, type ItemPutResult, keepItem } from "./item-search.ts";
import type { PublicationPlace } from "./mutable-torrent.ts";

/** Between two looks for a newer version. */
const LOOK_MS = 5 * 60_000;
/** After a look that found nobody to ask; doubled each time. */
const RETRY_MS = 15_000;
/** Nodes forget an item after two hours (BEP 44). */
const KEEP_MS = 60 * 60_000;

export interface PublicationWatchOptions {
  readonly dht: Dht;
  readonly clock: Clock;
  readonly random: Random;
  readonly signatures: Signatures;
  readonly place: PublicationPlace;
  /** The newest version so far, from an earlier run. */
  readonly known?: MutableItem | undefined;
  /** It has just been stored. */
  readonly isStored?: boolean | undefined;
  /** A newer version was found. */
  readonly onNewer: (item: MutableItem) => void;
  /** A look is over. @param answered - Nodes that answered it. */
  readonly onLooked?: ((answered: number) => void) | undefined;
}

/**
 * Follows a publication: looks for a newer version every five minutes, and every hour stores the newest one again, so
 * that it outlives its publisher; that needs no secret key (BEP 44).
 *
 * A version counts when the key has signed it and its sequence number is larger than that of every version before.
 */
export class PublicationWatch {
  readonly #options: PublicationWatchOptions;
  #newest: MutableItem | undefined;
  #keepAtMs: number;
  #retryMs = RETRY_MS;
  #timer: Timer | undefined;
  #end: (() => void) | undefined;

  constructor(options: PublicationWatchOptions) {
    const { clock } = options;
    this.#options = options;
    this.#newest = options.known;
    const isStored = options.isStored === true;
    this.#keepAtMs = clock.nowMs() + (isStored ? KEEP_MS : 0);
    // Its owner is told nothing before it has the watch.
    this.#timer = clock.startTimer(isStored ? LOOK_MS : 0, () => this.#look());
  }

  /** The newest version that was ever seen. */
  get newest(): MutableItem | undefined {
    return this.#newest;
  }

  close(): void {
    this.#timer?.cancel();
    this.#end?.();
  }

  #look(): void {
    const { dht, clock, signatures, place } = this.#options;
    const item = this.#newest;
    if (item && clock.nowMs() >= this.#keepAtMs) {
      this.#end = keepItem(dht, { item, place: placeOf(item), signatures }, (result) => {
        if (result.stored > 0) this.#keepAtMs = clock.nowMs() + KEEP_MS;
        this.#handleLooked(result);
      });
      return;
    }
    const search = { place: { kind: "mutable", ...place }, signatures } as const;
    this.#end = getItem(dht, search, (result) => this.#handleLooked(result));
  }

  #handleLooked({ item, replies }: Pick<ItemPutResult, "item" | "replies">): void {
    const { clock, random, onNewer, onLooked } = this.#options;
    const known = this.#newest;
    const isNewer = item?.kind === "mutable" && (!known || item.sequence > known.sequence);
    const isGood = replies > 0 && (item !== undefined || known !== undefined);
    const waitMs = isGood ? LOOK_MS : this.#retryMs;
    this.#retryMs = isGood ? RETRY_MS : Math.min(this.#retryMs * 2, LOOK_MS);
    // Chance spreads those who follow one publication over the time.
    this.#timer = clock.startTimer(waitMs - random.below(waitMs / 4), () => this.#look());
    if (isNewer) this.#newest = item;
    onLooked?.(replies);
    if (isNewer) onNewer(item);
  }
}
