import { infohashKey, type Infohashes, wireInfohashes } from "../base/infohash.ts";
import type { CatalogueAnnouncer } from "../dht/catalogue-announcer.ts";
import type { Clock } from "../ports/clock.ts";
import type { Log } from "../ports/log.ts";
import { infohashesOf } from "../publish/row-infohashes.ts";
import type { TorrentTable } from "../store/torrents.ts";

/** Torrents read in one go: some milliseconds. */
const SLICE_TORRENTS = 1000;

export interface AnnouncedCatalogueOptions {
  readonly announcer: Pick<CatalogueAnnouncer, "add" | "delete" | "start">;
  readonly torrents: Pick<TorrentTable, "publicInfohashes" | "findByWire">;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Tells the DHT which torrents are published: all at the start, and what comes and goes from then on. The rows of the
 * catalogue decide which are private, and those are never told (DHT-7).
 */
export class AnnouncedCatalogue {
  readonly #options: AnnouncedCatalogueOptions;
  /** Published torrents whose rows are being read, each with the last time it was published. */
  readonly #reading = new Map<string, object>();
  /** Removed while the catalogue was read; `undefined` afterwards. */
  #removed: Map<string, Infohashes> | undefined = new Map();
  #isClosed = false;

  constructor(options: AnnouncedCatalogueOptions) {
    this.#options = options;
  }

  /** Reads the catalogue and begins to announce it. */
  async start(): Promise<void> {
    const { announcer, torrents, clock } = this.#options;
    let left = SLICE_TORRENTS;
    for (const infohashes of torrents.publicInfohashes()) {
      announcer.add(infohashes);
      left -= 1;
      if (left > 0) continue;
      left = SLICE_TORRENTS;
      await new Promise<void>((resolve) => void clock.startTimer(0, resolve));
      if (this.#isClosed) return;
    }
    for (const infohashes of this.#removed?.values() ?? []) announcer.delete(infohashes);
    this.#removed = undefined;
    announcer.start();
  }

  handlePublished(infohashes: Infohashes): void {
    const key = keyOf(infohashes);
    const reading = {};
    this.#reading.set(key, reading);
    this.#removed?.delete(key);
    this.#read(infohashes).then(
      (found) => {
        // It may have been removed while its row was read.
        if (this.#reading.get(key) !== reading) return;
        this.#reading.delete(key);
        if (found) this.#options.announcer.add(found);
      },
      (error: unknown) => {
        this.#options.log.warn("a torrent is not announced in the DHT before the next start", {
          infohash: key,
          cause: String(error),
        });
      },
    );
  }

  handleRemoved(infohashes: Infohashes): void {
    const key = keyOf(infohashes);
    this.#reading.delete(key);
    this.#removed?.set(key, infohashes);
    this.#options.announcer.delete(infohashes);
  }

  close(): void {
    this.#isClosed = true;
    this.#reading.clear();
  }

  /** @returns `undefined` for what is private, or not published. */
  async #read(infohashes: Infohashes): Promise<Infohashes | undefined> {
    const row = await this.#options.torrents.findByWire(wireInfohashes(infohashes)[0]!);
    return row?.private === 0 ? infohashesOf(row) : undefined;
  }
}

function keyOf(infohashes: Infohashes): string {
  return infohashKey(wireInfohashes(infohashes)[0]!);
}
