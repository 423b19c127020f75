import type { Clock } from "../ports/clock.ts";
import type { Files } from "../ports/files.ts";
import type { Log } from "../ports/log.ts";
import { encodeSnapshot, restoreSnapshot } from "./snapshot.ts";
import type { SwarmStore } from "./swarms.ts";

export interface SnapshotFileOptions {
  /** Absolute. */
  readonly path: string;
  readonly files: Pick<Files, "read" | "write">;
  readonly clock: Pick<Clock, "wallMs">;
  readonly log: Log;
}

/** The file that carries the peers of all swarms from an orderly stop to the next start. */
export class SnapshotFile {
  readonly #options: SnapshotFileOptions;
  readonly #swarms: SwarmStore;

  constructor(swarms: SwarmStore, options: SnapshotFileOptions) {
    this.#swarms = swarms;
    this.#options = options;
  }

  /**
   * Restores the peers that are still fresh. A file that is absent or damaged restores none.
   *
   * @param admit - As in `restoreSnapshot`.
   */
  async load(admit: (infohash: Uint8Array) => number): Promise<void> {
    const { path, files, clock, log } = this.#options;
    const bytes = await files.read(path);
    if (!bytes) return;
    const restored = restoreSnapshot(bytes, this.#swarms, { wallMs: clock.wallMs(), admit });
    // Peers announce again within minutes, so nothing of value is lost.
    if (restored === undefined) log.warn("the saved swarms cannot be read", { path });
    else log.debug("the peers of the last run are back", { peers: restored });
  }

  async save(): Promise<void> {
    const { path, files, clock } = this.#options;
    await files.write(path, encodeSnapshot(this.#swarms, clock.wallMs()));
  }
}
