import type { Clock, Timer } from "../ports/clock.ts";
import type { DropFolders } from "../ports/drop-folder.ts";
import type { Log } from "../ports/log.ts";
import type { Transfers } from "./transfers.ts";
import type { WatchFolder } from "./watch-folder.ts";
import { type WatchedFolder, WatchPlace } from "./watch-place.ts";

/** A slow look finds what the system does not tell: on network disks, or without room for more watches. */
const POLL_MS = 10_000;
/** While a file may still be written. */
const SOON_MS = 2_000;
/** Changes within this time lead to one look. */
const GATHER_MS = 200;

export interface WatchFoldersParts {
  readonly transfers: Pick<Transfers, "addAll">;
  /** Those of the configuration and of the settings; asked before each look. */
  readonly wanted: () => readonly WatchFolder[];
  readonly folders: DropFolders;
  readonly clock: Clock;
  readonly log: Log;
}

/** Adds the torrents that people drop into folders. */
export class WatchFolders {
  readonly #parts: WatchFoldersParts;
  readonly #places = new Map<string, WatchPlace>();
  #timer: Timer | undefined;
  #dueMs = Number.POSITIVE_INFINITY;
  /** What has changed during a look is looked at after so long. */
  #againMs = POLL_MS;
  #looking: Promise<void> | undefined;
  #isStopped = false;

  constructor(parts: WatchFoldersParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#lookIn(0);
  }

  /** How each is doing, in the order of their names. */
  status(): readonly WatchedFolder[] {
    return Array.from(this.#places.values(), (place) => place.status()).toSorted((a, b) =>
      a.folder < b.folder ? -1 : 1,
    );
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#timer?.cancel();
    for (const place of this.#places.values()) place.close();
    await this.#looking;
  }

  #lookIn(delayMs: number): void {
    const { clock } = this.#parts;
    const dueMs = clock.nowMs() + delayMs;
    if (this.#looking) this.#againMs = Math.min(this.#againMs, delayMs);
    if (this.#isStopped || this.#looking || (this.#timer && this.#dueMs <= dueMs)) return;
    this.#timer?.cancel();
    this.#dueMs = dueMs;
    this.#timer = clock.startTimer(delayMs, () => {
      this.#timer = undefined;
      this.#againMs = POLL_MS;
      this.#looking = this.#look().then((waits) => {
        this.#looking = undefined;
        this.#lookIn(Math.min(this.#againMs, waits ? SOON_MS : POLL_MS));
      });
    });
  }

  /** @returns True when a file may still be written. Never rejects. */
  async #look(): Promise<boolean> {
    const wanted = new Map(this.#parts.wanted().map((each) => [each.folder, each]));
    for (const [folder, place] of this.#places) {
      if (wanted.has(folder)) continue;
      place.close();
      this.#places.delete(folder);
    }
    let waits = false;
    for (const [folder, how] of wanted) {
      if (this.#isStopped) break;
      const place = this.#places.get(folder) ?? this.#open(folder);
      if (await place.look(how, () => this.#isStopped)) waits = true;
    }
    return waits;
  }

  #open(folder: string): WatchPlace {
    const { folders } = this.#parts;
    const files = folders.open(folder, () => this.#lookIn(GATHER_MS));
    const place = new WatchPlace({ ...this.#parts, folder, files });
    this.#places.set(folder, place);
    return place;
  }
}
