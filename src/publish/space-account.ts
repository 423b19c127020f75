import { formatBytes } from "../base/format-bytes.ts";
import type { Files } from "../ports/files.ts";
import type { DraftTable } from "../store/drafts.ts";
import type { DataFolder } from "./data-folder.ts";
import { PublishError } from "./publish-error.ts";

/** Bytes kept free on the disk for the database, its log and .torrent files. */
const RESERVE_BYTES = 64 * 1024 * 1024;

export interface SpaceAccountOptions {
  /** Each unfinished upload is a promise of space, also after a restart. */
  readonly drafts: Pick<DraftTable, "bytesToCome">;
  readonly folder: Pick<DataFolder, "root">;
  readonly files: Pick<Files, "freeBytes">;
}

/**
 * The one account of free and promised space on the data folder's disk. Everything that brings content claims space
 * here first: uploads and fetches. Content published in place takes no space, and the everseed's repairs were
 * accounted for at publication.
 */
export class SpaceAccount {
  readonly #options: SpaceAccountOptions;
  /** For each promise other than a draft, the bytes still to come. */
  readonly #promises = new Map<string, () => number>();
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: SpaceAccountOptions) {
    this.#options = options;
  }

  /**
   * Reserves space. Requests are judged one after the other, so that simultaneous ones count each other.
   *
   * @param bytes - The bytes still to come.
   * @param keep - Makes the promise visible to the account: it inserts a draft, or calls `promise`.
   * @returns The result of `keep`.
   * @throws {PublishError} (rejects) `disk-full`, without calling `keep`; otherwise whatever `keep` throws.
   */
  async claim<T>(bytes: number, keep: () => T | Promise<T>): Promise<T> {
    const claimed = this.#turn.then(async () => {
      await this.#refuseTooMuch(bytes);
      return keep();
    });
    this.#turn = claimed.catch(() => undefined);
    return claimed;
  }

  /** Records a promise, in `claim` or from before a restart. @param bytesToCome - Returns the current number. */
  promise(id: string, bytesToCome: () => number): void {
    this.#promises.set(id, bytesToCome);
  }

  /** All bytes came, or none will. Harmless when nothing was promised. */
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
