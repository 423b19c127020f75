import { formatBytes } from "../base/format-bytes.ts";
import type { Files } from "../ports/files.ts";
import type { DraftTable } from "../store/drafts.ts";
import type { DataFolder } from "./data-folder.ts";
import { PublishError } from "./publish-error.ts";

/** Bytes that stay free on the disk for the database, its log and .torrent files. */
const RESERVE_BYTES = 64 * 1024 * 1024;

export interface SpaceAccountOptions {
  /** Each unfinished upload is a promise, also after a restart. */
  readonly drafts: Pick<DraftTable, "bytesToCome">;
  readonly folder: Pick<DataFolder, "root">;
  readonly files: Pick<Files, "freeBytes">;
}

/**
 * The one account of what the disk of the data folder has left, and of what was promised to whom. Everything that
 * brings content asks it first: uploads, and torrents that are fetched. Content that is published in place takes no
 * space. What the everseed mends was promised when it was published.
 */
export class SpaceAccount {
  readonly #options: SpaceAccountOptions;
  /** For each promise that is no draft, the bytes that are still to come. */
  readonly #promises = new Map<string, () => number>();
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: SpaceAccountOptions) {
    this.#options = options;
  }

  /**
   * Promises space. One request is judged after the other, so that those of one moment see each other.
   *
   * @param bytes - That are still to come.
   * @param keep - Makes the promise one that the account sees: it inserts a draft, or calls `promise`.
   * @returns What `keep` returns.
   * @throws {PublishError} (rejects) `disk-full`; then `keep` was not called. Else what `keep` throws.
   */
  async claim<T>(bytes: number, keep: () => T | Promise<T>): Promise<T> {
    const claimed = this.#turn.then(async () => {
      await this.#refuseTooMuch(bytes);
      return keep();
    });
    this.#turn = claimed.catch(() => undefined);
    return claimed;
  }

  /** Notes a promise, in `claim`, or one that was made before a restart. @param bytesToCome - At each moment. */
  promise(id: string, bytesToCome: () => number): void {
    this.#promises.set(id, bytesToCome);
  }

  /** Everything came, or nothing will. Harmless for what was promised nothing. */
  release(id: string): void {
    this.#promises.delete(id);
  }

  async #refuseTooMuch(bytes: number): Promise<void> {
    const { drafts, files, folder } = this.#options;
    let promised = await drafts.bytesToCome();
    const free = (await files.freeBytes(folder.root)) - RESERVE_BYTES;
    for (const bytesToCome of this.#promises.values()) promised += bytesToCome();
    if (bytes <= free - promised) return;
    const left = formatBytes(Math.max(0, free - promised));
    const others = promised > 0 ? " beside what is on its way" : "";
    throw new PublishError(
      "disk-full",
      `This needs ${formatBytes(bytes)}; the disk of this hub has ${left} free${others}.`,
    );
  }
}
