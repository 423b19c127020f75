import type { Files } from "../ports/files.ts";
import type { Log } from "../ports/log.ts";

export interface DhtStateFileOptions {
  readonly path: string;
  readonly files: Pick<Files, "read" | "write">;
  readonly log: Log;
}

/** The file that keeps what the DHT knows over a restart. Without it the DHT begins with the bootstrap nodes. */
export class DhtStateFile {
  readonly #options: DhtStateFileOptions;
  /** The newest state that is not written yet. */
  #next: Uint8Array | undefined;
  #writing: Promise<void> | undefined;

  constructor(options: DhtStateFileOptions) {
    this.#options = options;
  }

  /** @returns `undefined` when there is none that can be read; the log says why. */
  async load(): Promise<Uint8Array | undefined> {
    const { path, files, log } = this.#options;
    try {
      return await files.read(path);
    } catch (error) {
      log.warn("The saved state of the DHT cannot be read. The DHT starts without it.", {
        path,
        cause: String(error),
      });
      return undefined;
    }
  }

  /** Replaces the file. A newer state that comes meanwhile is written after it, one in between is not. */
  save(state: Uint8Array): void {
    this.#next = state;
    this.#writing ??= this.#write();
  }

  /** Resolves when everything is written. */
  async close(): Promise<void> {
    await this.#writing;
  }

  async #write(): Promise<void> {
    const { path, files, log } = this.#options;
    for (let state; (state = this.#next);) {
      this.#next = undefined;
      try {
        await files.write(path, state);
      } catch (error) {
        log.warn("The state of the DHT is not saved. After a restart it begins anew.", {
          path,
          cause: String(error),
        });
      }
    }
    this.#writing = undefined;
  }
}
