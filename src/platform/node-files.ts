import { constants } from "node:fs";
import {
  copyFile,
  type FileHandle,
  link,
  lstat,
  mkdir,
  open,
  readdir,
  rename,
  rm,
  stat,
  statfs,
} from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { syncFolder, writeAtomically } from "./atomic-file.ts";
import { duplicateFile } from "./duplicate-file.ts";
import { hasDescriptorPaths } from "./disk/open-folders.ts";
import { FilesError, GuardedPaths } from "./guarded-paths.ts";
import { NewFolders } from "./new-folders.ts";
import { removeTree } from "./remove-tree.ts";
import { temporaryPath } from "./temporary-name.ts";
import type { AppendFile, FileFacts, Files, ReadFile } from "../ports/files.ts";
import type { DuplicateOptions, Duplication } from "../ports/user-files.ts";

const FILE_MODE = 0o600;
const FOLDER_MODE = 0o700;

/** Does not follow a link in the last component, and does not block on a pipe in a file's place. */
const AS_IT_IS = constants.O_NOFOLLOW | constants.O_NONBLOCK;

/**
 * Whole files and folders on this machine's disks. Everything it creates is for its owner only
 * (CLI-3). Below its root it follows no link in any component of a path; elsewhere it only refuses
 * a link in the last component.
 */
export class NodeFiles implements Files {
  readonly #guarded: GuardedPaths | undefined;
  #linkCount = 0;

  /** @param root - Absolute: a hub's folder, which must exist. */
  constructor(root?: string) {
    this.#guarded = root === undefined ? undefined : new GuardedPaths(root);
  }

  /** Closes the folders that are kept open for the next call. */
  close(): void {
    this.#guarded?.close();
  }

  async read(path: string): Promise<Uint8Array | undefined> {
    try {
      return await this.#through(path, false, async (entry) => {
        const file = await openPlain(entry, path, constants.O_RDONLY);
        try {
          return await file.readFile();
        } finally {
          await file.close();
        }
      });
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  async write(path: string, bytes: Uint8Array): Promise<void> {
    await this.#through(path, true, (entry) => writeAtomically(entry, bytes));
  }

  async openAppend(path: string, length: number): Promise<AppendFile> {
    const file = await this.#through(path, true, async (entry) => {
      const opened = await openPlain(entry, path, constants.O_RDWR | constants.O_CREAT);
      try {
        await opened.truncate(length);
        await opened.sync();
        await syncFolder(dirname(entry));
      } catch (error) {
        await opened.close();
        throw error;
      }
      return opened;
    });
    let end = length;
    return {
      async append(bytes) {
        await writeAt(file, bytes, end);
        end += bytes.length;
        await file.datasync();
      },
      close: () => file.close(),
    };
  }

  async openRead(path: string): Promise<ReadFile | undefined> {
    let file: FileHandle;
    try {
      file = await this.#through(path, false, (entry) =>
        openPlain(entry, path, constants.O_RDONLY),
      );
    } catch (error) {
      if (isMissing(error) || NO_PLAIN_FILE.has(codeOf(error) ?? "")) return undefined;
      throw error;
    }
    try {
      const facts = await file.stat();
      return {
        size: facts.size,
        mtimeMs: facts.mtimeMs,
        async read(into, position) {
          const { bytesRead } = await file.read(into, 0, into.length, position);
          return bytesRead;
        },
        close: () => file.close(),
      };
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  async makeFolder(path: string): Promise<void> {
    const below = this.#guarded?.below(path);
    if (!this.#guarded || below === undefined) return makeFolders(path, FOLDER_MODE);
    await this.#guarded.inside(below, true, path, async () => undefined);
  }

  async move(from: string, to: string): Promise<void> {
    await this.#through(to, true, (target) =>
      this.#through(from, false, async (source) => {
        await rename(source, target);
        await syncFolder(dirname(target));
        await syncFolder(dirname(source));
      }),
    );
  }

  async copy(from: string, to: string): Promise<void> {
    await this.#through(to, true, (target) =>
      this.#through(from, false, async (source) => {
        if (!(await lstat(source)).isFile()) throw new FilesError("EINVAL", from, undefined);
        await copyFile(source, target, constants.COPYFILE_FICLONE);
      }),
    );
  }

  async duplicate(from: string, to: string, options: DuplicateOptions): Promise<Duplication> {
    const name = basename(options.partial);
    return this.#through(to, true, (target) =>
      this.#through(from, false, (source) =>
        duplicateFile({ source, target, partial: join(dirname(target), name) }, options),
      ),
    );
  }

  async replaceByLink(existing: string, path: string): Promise<void> {
    this.#linkCount += 1;
    const token = `link-${process.pid}-${this.#linkCount}`;
    await this.#through(path, false, (target) =>
      this.#through(existing, false, async (source) => {
        const temporary = temporaryPath(target, token);
        await link(source, temporary);
        try {
          // The file that was checked may have become a link by now.
          if (!(await lstat(temporary)).isFile())
            throw new FilesError("ELOOP", existing, undefined);
          await rename(temporary, target);
        } finally {
          // POSIX renames nothing when both names are already the same file.
          await rm(temporary, { force: true });
        }
        await syncFolder(dirname(target));
      }),
    );
  }

  async remove(path: string): Promise<void> {
    try {
      await this.#through(path, false, (entry) =>
        hasDescriptorPaths() ? removeTree(entry) : rm(entry, { recursive: true, force: true }),
      );
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  }

  async list(path: string): Promise<readonly string[]> {
    const below = this.#guarded?.below(path);
    try {
      if (!this.#guarded || below === undefined) return await readdir(path);
      return await this.#guarded.inside(below, false, path, (entry) => readdir(entry(".")));
    } catch (error) {
      if (isMissing(error)) return [];
      throw error;
    }
  }

  async stat(path: string): Promise<FileFacts | undefined> {
    try {
      const facts = await this.#through(path, false, (entry) => lstat(entry));
      const { size, mtimeMs, ctimeMs } = facts;
      return { folder: facts.isDirectory(), size, mtimeMs, ctimeMs };
    } catch (error) {
      // A file behind a link is not ours.
      if (isMissing(error) || codeOf(error) === "ELOOP") return undefined;
      throw error;
    }
  }

  async freeBytes(path: string): Promise<number> {
    const disk = await statfs(path);
    // File systems without a size, such as those that programs provide, report nothing.
    return disk.blocks === 0 ? Number.POSITIVE_INFINITY : disk.bavail * disk.bsize;
  }

  async #through<T>(path: string, create: boolean, use: (entry: string) => Promise<T>): Promise<T> {
    const below = this.#guarded?.below(path);
    if (this.#guarded && below !== undefined) return this.#guarded.through(below, create, use);
    if (create) await makeFolders(dirname(path), FOLDER_MODE);
    return use(path);
  }
}

/** The entry that stands where a plain file should be. */
const NO_PLAIN_FILE: ReadonlySet<string> = new Set(["ELOOP", "EISDIR", "EINVAL", "ENXIO"]);

/**
 * @param entry - The way to `path`.
 * @throws {FilesError} (rejects) `EISDIR` for a folder, `EINVAL` for a device, a pipe or a socket.
 */
async function openPlain(entry: string, path: string, flags: number): Promise<FileHandle> {
  const file = await open(entry, flags | AS_IT_IS, FILE_MODE);
  try {
    const facts = await file.stat();
    if (!facts.isFile()) {
      throw new FilesError(facts.isDirectory() ? "EISDIR" : "EINVAL", path, undefined);
    }
  } catch (error) {
    await file.close();
    throw error;
  }
  return file;
}

/** Shared by all callers in this process: one may continue in a folder that another has just created. */
const newFolders = new NewFolders();

/**
 * Creates a folder and its missing parents, and makes each name durable.
 *
 * @param mode - Mode of the folders it creates, before the umask.
 * @throws (rejects with) an error that carries the system's `code`.
 */
export async function makeFolders(path: string, mode = 0o777): Promise<void> {
  const absolute = resolve(path);
  await makeWithMissing(absolute, mode);
  await newFolders.sync(absolute, syncFolder);
}

/** Node's recursive mkdir never ends where a file system cannot create a folder but does not say so, as in `/proc`. */
async function makeWithMissing(path: string, mode: number): Promise<void> {
  const above = dirname(path);
  try {
    await makeOne(path, mode);
  } catch (error) {
    if (codeOf(error) !== "ENOENT" || above === path) throw error;
    if (!(await isFolder(above))) await makeWithMissing(above, mode);
    await makeOne(path, mode);
  }
}

async function makeOne(path: string, mode: number): Promise<void> {
  try {
    await mkdir(path, { mode });
    newFolders.madeIn(dirname(path));
  } catch (error) {
    // It exists already, or someone has just created it.
    if (codeOf(error) === "ENOENT" || !(await isFolder(path))) throw error;
  }
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

async function writeAt(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  let written = 0;
  while (written < bytes.length) {
    const { bytesWritten } = await file.write(
      bytes,
      written,
      bytes.length - written,
      position + written,
    );
    written += bytesWritten;
  }
}

function isMissing(error: unknown): boolean {
  const code = codeOf(error);
  return code === "ENOENT" || code === "ENOTDIR";
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string"
    ? error.code
    : undefined;
}
