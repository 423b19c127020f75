import { type Infohashes, wireInfohashes } from "../base/infohash.ts";
import type { Clock } from "../ports/clock.ts";
import { TorrentMarks } from "./torrent-marks.ts";

/** Torrents read in one go: some milliseconds. */
const SLICE_TORRENTS = 1_000;

/**
 * The marks of all torrents that can be woken. They are hashed in slices when the first peer needs one, about two
 * microseconds each, and follow the torrents that come and go from then on. A million torrents take 32 to 64 MB.
 */
export class SleepingMarks {
  readonly #clock: Clock;
  readonly #all: () => Iterable<Infohashes>;
  readonly #marks = new TorrentMarks();
  #loading: Promise<void> | undefined;
  #isLoaded = false;
  /** Went while the marks were read. */
  readonly #gone: Infohashes[] = [];

  /** @param options.all - Every torrent that can be woken, read as it is iterated. */
  constructor(options: { readonly clock: Clock; readonly all: () => Iterable<Infohashes> }) {
    this.#clock = options.clock;
    this.#all = options.all;
  }

  /** A torrent can be woken from now on. */
  add(infohashes: Infohashes): void {
    if (!this.#loading) return;
    for (const infohash of wireInfohashes(infohashes)) this.#marks.add(infohash);
  }

  delete(infohashes: Infohashes): void {
    if (!this.#loading) return;
    if (!this.#isLoaded) this.#gone.push(infohashes);
    for (const infohash of wireInfohashes(infohashes)) this.#marks.delete(infohash);
  }

  /** @returns A promise while the marks are being read. */
  find(mark: Uint8Array): Uint8Array | undefined | Promise<Uint8Array | undefined> {
    if (this.#isLoaded) return this.#marks.find(mark);
    this.#loading ??= this.#load().catch((error: unknown) => {
      // The next peer makes another attempt.
      this.#loading = undefined;
      throw error;
    });
    return this.#loading.then(() => this.#marks.find(mark));
  }

  async #load(): Promise<void> {
    let left = SLICE_TORRENTS;
    for (const infohashes of this.#all()) {
      for (const infohash of wireInfohashes(infohashes)) this.#marks.add(infohash);
      left -= 1;
      if (left > 0) continue;
      left = SLICE_TORRENTS;
      await new Promise<void>((resolve) => void this.#clock.startTimer(0, resolve));
    }
    this.#isLoaded = true;
    for (const infohashes of this.#gone.splice(0)) this.delete(infohashes);
  }
}
