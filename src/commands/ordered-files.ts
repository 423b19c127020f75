import type { ReadFile } from "../ports/files.ts";
import type { FolderFiles } from "../ports/user-files.ts";
import { CommandError, diskTrouble } from "./command-error.ts";
import { fileChanged } from "./input-files.ts";

/**
 * Reads several files as if they were one, each after the last. Below their root no link is
 * followed in any component of a path, so that only listed files are read.
 */
export class OrderedFiles {
  /** Total bytes of all files. */
  readonly size: number;
  readonly #files: readonly {
    readonly path: string;
    readonly start: number;
    readonly length: number;
  }[];
  readonly #disk: FolderFiles;
  #open: { readonly path: string; readonly file: ReadFile } | undefined;

  /**
   * @param disk - Their folder; closed together with this object.
   * @param files - Absolute paths below it, with their known lengths.
   */
  constructor(
    disk: FolderFiles,
    files: readonly { readonly path: string; readonly length: number }[],
  ) {
    this.#disk = disk;
    let start = 0;
    this.#files = files.map(({ path, length }) => {
      const placed = { path, start, length };
      start += length;
      return placed;
    });
    this.size = start;
  }

  /**
   * Reads the bytes from `start` to `end`, which may lie in many files.
   *
   * @throws {CommandError} `changed` when a file is shorter than before, or the disk's refusal.
   */
  async read(start: number, end: number): Promise<Buffer> {
    const bytes = Buffer.allocUnsafe(Math.max(0, Math.min(end, this.size) - start));
    for (let index = this.#indexAt(start); index < this.#files.length; index += 1) {
      const file = this.#files[index]!;
      const from = Math.max(start, file.start);
      const to = Math.min(start + bytes.length, file.start + file.length);
      if (from >= start + bytes.length) break;
      if (to > from)
        await this.#fill(bytes.subarray(from - start, to - start), file, from - file.start);
    }
    return bytes;
  }

  async close(): Promise<void> {
    await this.#closeOne();
    this.#disk.close();
  }

  async #closeOne(): Promise<void> {
    const open = this.#open;
    this.#open = undefined;
    await open?.file.close();
  }

  /** The last file that starts at or before `offset`. */
  #indexAt(offset: number): number {
    let low = 0;
    let high = this.#files.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (this.#files[middle]!.start <= offset) low = middle;
      else high = middle - 1;
    }
    return Math.max(0, low);
  }

  async #fill(
    into: Buffer,
    { path, length }: { readonly path: string; readonly length: number },
    position: number,
  ): Promise<void> {
    try {
      const file = await this.#fileAt(path, length);
      for (let filled = 0; filled < into.length;) {
        const bytesRead = await file.read(into.subarray(filled), position + filled);
        if (bytesRead === 0) throw fileChanged(path);
        filled += bytesRead;
      }
    } catch (error) {
      throw error instanceof CommandError ? error : diskTrouble(error, `read ${path}`, path);
    }
  }

  /** One file is open at a time, because they are read in order. */
  async #fileAt(path: string, length: number): Promise<ReadFile> {
    if (this.#open?.path === path) return this.#open.file;
    await this.#closeOne();
    const file = await this.#disk.openRead(path);
    // It is gone, or has become a link, a folder or a pipe.
    if (!file) throw fileChanged(path);
    this.#open = { path, file };
    if (file.size !== length) throw fileChanged(path);
    return file;
  }
}
