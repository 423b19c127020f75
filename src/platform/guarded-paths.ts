import { closeSync, openSync } from "node:fs";
import { resolve } from "node:path";
import { syncFolder } from "./atomic-file.ts";
import { DiskRefusal, diskFailure, failureCode } from "./disk/disk-refusal.ts";
import {
  entryOf,
  folderOf,
  hasDescriptorPaths,
  nameOf,
  O_FOLDER,
  OpenFolders,
} from "./disk/open-folders.ts";
import { NewFolders } from "./new-folders.ts";

/** The disk refused a call on a whole file or folder. */
export class FilesError extends Error {
  /** The operating system's code. */
  readonly code: string;
  readonly path: string;

  constructor(code: string, path: string, cause: unknown) {
    super(diskFailure(code, path).message, { cause });
    this.code = code;
    this.path = path;
  }
}

/**
 * Resolves paths below one root, for calls that run concurrently. It works as the engine's disk
 * does: it opens each folder from the one above it and follows no link (house rule 6).
 */
export class GuardedPaths {
  readonly #root: string;
  readonly #prefix: string;
  readonly #folders: OpenFolders;
  readonly #newFolders = new NewFolders();

  /**
   * @param root - Absolute. The root itself may be a link, unlike everything below it. It is not
   * created.
   */
  constructor(root: string) {
    this.#root = resolve(root);
    this.#prefix = this.#root === "/" ? "/" : `${this.#root}/`;
    this.#folders = new OpenFolders({
      root: this.#root,
      wasRootSeen: () => true,
      open: (path, flags) => openSync(path, flags),
      folderMode: 0o700,
      handleMade: (above) => this.#newFolders.madeIn(above),
    });
  }

  /** @returns The path without dots when it is below the root, else `undefined`. */
  below(path: string): string | undefined {
    const plain = resolve(path);
    return plain.startsWith(this.#prefix) ? plain : undefined;
  }

  /**
   * Runs `use` with the way to an entry: a path through its folder, which stays open meanwhile.
   *
   * @param path - As `below` returns it.
   * @param create - Creates the missing folders above it.
   * @throws {FilesError} (rejects) `ELOOP` when one of them is a link.
   */
  async through<T>(path: string, create: boolean, use: (entry: string) => Promise<T>): Promise<T> {
    return this.inside(folderOf(path), create, path, (entry) => use(entry(nameOf(path))));
  }

  /**
   * Runs `use` with the ways to a folder's entries.
   *
   * @param folder - The root, or as `below` returns it.
   * @param subject - The path that an error names.
   */
  async inside<T>(
    folder: string,
    create: boolean,
    subject: string,
    use: (entry: (name: string) => string) => Promise<T>,
  ): Promise<T> {
    let descriptor: number | undefined;
    try {
      descriptor = this.#enter(folder, create);
      if (create) await this.#newFolders.sync(folder, (above) => this.#syncNames(above));
      return await use((name) => entryOf({ descriptor, path: folder }, name));
    } catch (error) {
      const code = failureCode(error);
      if (code === undefined) throw error;
      // A refusal names the folder that caused it. Every other error names only a descriptor, which
      // helps nobody.
      const where = error instanceof DiskRefusal ? error.failure.path : subject;
      throw new FilesError(code, where, error);
    } finally {
      if (descriptor !== undefined) closeSync(descriptor);
    }
  }

  /** Closes the folders that are kept open for the next call. */
  close(): void {
    this.#folders.closeAll();
  }

  async #syncNames(folder: string): Promise<void> {
    const descriptor = this.#enter(folder, false);
    try {
      await syncFolder(entryOf({ descriptor, path: folder }, "."));
    } finally {
      if (descriptor !== undefined) closeSync(descriptor);
    }
  }

  /** @returns A descriptor that the caller owns; the next call may close those of `OpenFolders`. */
  #enter(folder: string, create: boolean): number | undefined {
    this.#folders.beginBurst();
    const open = this.#folders.enter(folder, create);
    return hasDescriptorPaths() ? openSync(entryOf(open, "."), O_FOLDER) : undefined;
  }
}
