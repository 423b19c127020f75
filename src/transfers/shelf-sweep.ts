import type { Clock, Timer } from "../ports/clock.ts";
import type { Files } from "../ports/files.ts";
import type { Log } from "../ports/log.ts";
import type { TransferTable } from "../store/transfers.ts";

/** Folders of the shelf: the first two digits of an id. */
const FOLDERS = 256;
/** Pause between two folders: a round of the shelf takes an hour, and a start is not slowed down. */
const PAUSE_MS = 15_000;
/** A file is written before its row: younger ones may be on their way. */
const YOUNG_MS = 3_600_000;
/** The names that the shelf gives. */
const NAME = /^([0-9a-f]{40})\.[a-z]+$/;

export interface ShelfSweepParts {
  readonly transfers: Pick<TransferTable, "idsWithPrefix">;
  readonly files: Pick<Files, "list" | "stat" | "remove">;
  /** Of the shelf, absolute. */
  readonly folder: string;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Removes files of the shelf whose transfer has no row: a kill between the file and the row leaves one behind (STO-14). It
 * goes through the folders once after each start, one at a time.
 */
export class ShelfSweep {
  readonly #parts: ShelfSweepParts;
  #timer: Timer | undefined;
  #isStopped = false;

  constructor(parts: ShelfSweepParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#schedule(0);
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
  }

  #schedule(place: number): void {
    if (this.#isStopped || place >= FOLDERS) return;
    this.#timer = this.#parts.clock.startTimer(PAUSE_MS, () => {
      const prefix = place.toString(16).padStart(2, "0");
      this.#sweep(prefix)
        .catch((error: unknown) => {
          this.#parts.log.warn("leftovers of transfers were not removed", { error: String(error) });
        })
        .finally(() => this.#schedule(place + 1));
    });
  }

  async #sweep(prefix: string): Promise<void> {
    const { transfers, files, folder, clock, log } = this.#parts;
    const path = `${folder}/${prefix}`;
    const names = await files.list(path);
    if (names.length === 0) return;
    const known = new Set(await transfers.idsWithPrefix(prefix));
    for (const name of names) {
      const id = NAME.exec(name)?.[1];
      if (id === undefined || known.has(id)) continue;
      const facts = await files.stat(`${path}/${name}`);
      if (!facts || facts.folder || facts.mtimeMs > clock.wallMs() - YOUNG_MS) continue;
      await files.remove(`${path}/${name}`);
      log.info("a file of a transfer that does not exist was removed", { name });
    }
  }
}
