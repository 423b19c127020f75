import type { Infohashes } from "../base/infohash.ts";
import type { Clock, Timer } from "../ports/clock.ts";
import type { Random } from "../ports/random.ts";
import type { Signatures, SigningKey } from "../ports/signatures.ts";
import type { Dht } from "./dht.ts";
import type { MutableItem } from "./item.ts";
import type { ItemPutResult } from "./item-search.ts";
import { publishVersion } from "./mutable-torrent.ts";
import { PublicationWatch } from "./publication-watch.ts";

/** After an attempt that no node took; doubled each time. */
const RETRY_MS = 10_000;
const RETRY_MS_MAX = 5 * 60_000;

export interface KeptVersionOptions {
  readonly dht: Dht;
  readonly clock: Clock;
  readonly random: Random;
  readonly signatures: Signatures;
  readonly key: SigningKey;
  readonly salt: Uint8Array;
  readonly infohashes: Infohashes;
  /** As in `publishVersion`. */
  readonly sequenceMin: bigint;
  /** Nodes have taken the version. */
  readonly onStored: (item: MutableItem, nodes: number) => void;
  /** No node has taken it; it is tried again. @param why - What nodes that refused say. */
  readonly onNotStored: (why: string | undefined) => void;
  /** Somebody with the same key has published a newer version. */
  readonly onSuperseded: (item: MutableItem) => void;
}

/** Publishes a version of a publication and keeps it in the DHT (BEP 46). putting -> kept, until it is closed. */
export class KeptVersion {
  readonly #options: KeptVersionOptions;
  #retryMs = RETRY_MS;
  #timer: Timer | undefined;
  #endPut: (() => void) | undefined;
  #watch: PublicationWatch | undefined;

  constructor(options: KeptVersionOptions) {
    this.#options = options;
    // Its owner is told nothing before it has the object.
    this.#timer = options.clock.startTimer(0, () => this.#put());
  }

  close(): void {
    this.#timer?.cancel();
    this.#endPut?.();
    this.#watch?.close();
  }

  #put(): void {
    const { dht, clock, onNotStored, ...version } = this.#options;
    this.#endPut = publishVersion(dht, version, ({ item, stored, refusals }: ItemPutResult) => {
      if (item?.kind === "mutable" && stored > 0) {
        this.#keep(item, stored);
        return;
      }
      const [why] = refusals.values();
      onNotStored(why);
      this.#timer = clock.startTimer(this.#retryMs, () => this.#put());
      this.#retryMs = Math.min(this.#retryMs * 2, RETRY_MS_MAX);
    });
  }

  #keep(item: MutableItem, stored: number): void {
    const { dht, clock, random, signatures, onStored, onSuperseded } = this.#options;
    this.#watch = new PublicationWatch({
      dht,
      clock,
      random,
      signatures,
      place: item,
      known: item,
      isStored: true,
      onNewer: onSuperseded,
    });
    onStored(item, stored);
  }
}
