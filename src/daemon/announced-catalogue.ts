import { infohashKey, type Infohashes, wireInfohashes } from "../base/infohash.ts";
import type { CatalogueAnnouncer } from "../dht/catalogue-announcer.ts";
import type { Clock } from "../ports/clock.ts";
import type { Log } from "../ports/log.ts";

/** Torrents read in one go: some milliseconds. */
const SLICE_TORRENTS = 1000;

/** Torrents of one kind that this program seeds, asleep or awake. */
export interface AnnouncedSeeds {
  /** Those that are not private; read as it is iterated. */
  readonly all: () => Iterable<Infohashes>;
  /** @returns `undefined` for one that is private, or not there. */
  readonly find: (wireInfohash: Uint8Array) => Promise<Infohashes | undefined>;
}

export interface AnnouncedCatalogueOptions {
  readonly announcer: Pick<CatalogueAnnouncer, "add" | "delete" | "start">;
  readonly seeds: readonly AnnouncedSeeds[];
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Tells the DHT which torrents are seeded: all at the start, and what comes and goes from then on. Their rows decide which
 * are private, and those are never told (DHT-7).
 */
export class AnnouncedCatalogue {
  readonly #options: AnnouncedCatalogueOptions;
  /** Seeds whose rows are being read, each with the last time it became one. */
  readonly #reading = new Map<string, object>();
  /** Gone while the rows were read; `undefined` afterwards. */
  #removed: Map<string, Infohashes> | undefined = new Map();
  #isClosed = false;

  constructor(options: AnnouncedCatalogueOptions) {
    this.#options = options;
  }

  /** Reads the catalogue and begins to announce it. */
  async start(): Promise<void> {
    const { announcer, seeds, clock } = this.#options;
    let left = SLICE_TORRENTS;
    for (const { all } of seeds) {
      for (const infohashes of all()) {
        announcer.add(infohashes);
        left -= 1;
        if (left > 0) continue;
        left = SLICE_TORRENTS;
        await new Promise<void>((resolve) => void clock.startTimer(0, resolve));
        if (this.#isClosed) return;
      }
    }
    for (const infohashes of this.#removed?.values() ?? []) announcer.delete(infohashes);
    this.#removed = undefined;
    announcer.start();
  }

  handleSeed(infohashes: Infohashes): void {
    this.#removed?.delete(keyOf(infohashes));
    this.#tell(infohashes, this.#options.seeds);
  }

  /** @param from - Where it was: another part may seed the same torrent still. */
  handleNoSeed(infohashes: Infohashes, from: AnnouncedSeeds): void {
    const key = keyOf(infohashes);
    this.#reading.delete(key);
    this.#removed?.set(key, infohashes);
    const { announcer, seeds } = this.#options;
    announcer.delete(infohashes);
    const others = seeds.filter((each) => each !== from);
    if (others.length > 0) this.#tell(infohashes, others);
  }

  #tell(infohashes: Infohashes, seeds: readonly AnnouncedSeeds[]): void {
    const key = keyOf(infohashes);
    const reading = {};
    this.#reading.set(key, reading);
    findIn(seeds, infohashes).then(
      (found) => {
        // It may have been removed while its row was read.
        if (this.#reading.get(key) !== reading) return;
        this.#reading.delete(key);
        if (!found) return;
        this.#removed?.delete(key);
        this.#options.announcer.add(found);
      },
      (error: unknown) => {
        this.#options.log.warn("a torrent is not announced in the DHT before the next start", {
          infohash: key,
          cause: String(error),
        });
      },
    );
  }

  close(): void {
    this.#isClosed = true;
    this.#reading.clear();
  }
}

/** @returns `undefined` for what is private, or seeded nowhere. */
async function findIn(
  seeds: readonly AnnouncedSeeds[],
  infohashes: Infohashes,
): Promise<Infohashes | undefined> {
  const wire = wireInfohashes(infohashes)[0]!;
  for (const { find } of seeds) {
    const found = await find(wire);
    if (found) return found;
  }
  return undefined;
}

function keyOf(infohashes: Infohashes): string {
  return infohashKey(wireInfohashes(infohashes)[0]!);
}
