import { type FileHandle, open } from "node:fs/promises";
import { DaemonError, diskTrouble } from "./daemon-error.ts";
import { fileChanged } from "./input-files.ts";

/** Files that are read as if they were one, the second behind the first. */
export class OrderedFiles {
  /** Bytes of all of them. */
  readonly size: number;
  readonly #files: readonly {
    readonly path: string;
    readonly start: number;
    readonly length: number;
  }[];
  #open: { readonly path: string; readonly handle: FileHandle } | undefined;

  /** @param files - Absolute paths with the bytes they are known to have. */
  constructor(files: readonly { readonly path: string; readonly length: number }[]) {
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
   * @throws {DaemonError} `changed` when a file is shorter than it was, or what the disk says.
   */
  async read(start: number, end: number): Promise<Buffer> {
    const bytes = Buffer.allocUnsafe(Math.max(0, Math.min(end, this.size) - start));
    for (let index = this.#indexAt(start); index < this.#files.length; index += 1) {
      const file = this.#files[index]!;
      const from = Math.max(start, file.start);
      const to = Math.min(start + bytes.length, file.start + file.length);
      if (from >= start + bytes.length) break;
      if (to > from)
        await this.#fill(bytes.subarray(from - start, to - start), file.path, from - file.start);
    }
    return bytes;
  }

  async close(): Promise<void> {
    await this.#open?.handle.close();
    this.#open = undefined;
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

  async #fill(into: Buffer, path: string, position: number): Promise<void> {
    try {
      const handle = await this.#handleOf(path);
      for (let filled = 0; filled < into.length;) {
        const { bytesRead } = await handle.read(
          into,
          filled,
          into.length - filled,
          position + filled,
        );
        if (bytesRead === 0) throw fileChanged(path);
        filled += bytesRead;
      }
    } catch (error) {
      throw error instanceof DaemonError ? error : diskTrouble(error, `read ${path}`, path);
    }
  }

  /** One file is open at a time: they are read one after the other. */
  async #handleOf(path: string): Promise<FileHandle> {
    if (this.#open?.path !== path) {
      await this.close();
      this.#open = { path, handle: await open(path, "r") };
    }
    return this.#open.handle;
  }
}
