import { constants } from "node:fs";
import {
  type FileHandle,
  link,
  lstat,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  statfs,
} from "node:fs/promises";
import { dirname } from "node:path";
import { syncFolder, writeAtomically } from "./atomic-file.ts";
import { temporaryPath } from "./temporary-name.ts";
import type { AppendFile, FileFacts, Files, ReadFile } from "../ports/files.ts";

const FILE_MODE = 0o600;
const FOLDER_MODE = 0o700;

/** Whole files and folders on this machine's disks. Everything it creates is for its owner only (CLI-3). */
export class NodeFiles implements Files {
  #linkCount = 0;

  async read(path: string): Promise<Uint8Array | undefined> {
    try {
      return await readFile(path);
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  async write(path: string, bytes: Uint8Array): Promise<void> {
    await this.makeFolder(dirname(path));
    await writeAtomically(path, bytes);
  }

  async openAppend(path: string, length: number): Promise<AppendFile> {
    await this.makeFolder(dirname(path));
    const file = await open(path, constants.O_RDWR | constants.O_CREAT, FILE_MODE);
    let end = length;
    try {
      await file.truncate(length);
      await file.sync();
      await syncFolder(dirname(path));
    } catch (error) {
      await file.close();
      throw error;
    }
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
      file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
    } catch (error) {
      if (isMissing(error) || codeOf(error) === "ELOOP") return undefined;
      throw error;
    }
    try {
      const facts = await file.stat();
      if (!facts.isFile()) {
        await file.close();
        return undefined;
      }
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

  makeFolder(path: string): Promise<void> {
    return makeFolders(path, FOLDER_MODE);
  }

  async move(from: string, to: string): Promise<void> {
    await this.makeFolder(dirname(to));
    await rename(from, to);
    await syncFolder(dirname(to));
    await syncFolder(dirname(from));
  }

  async replaceByLink(existing: string, path: string): Promise<void> {
    this.#linkCount += 1;
    const temporary = temporaryPath(path, `link-${process.pid}-${this.#linkCount}`);
    await link(existing, temporary);
    try {
      await rename(temporary, path);
    } finally {
      // POSIX renames nothing when both names are the same file already.
      await rm(temporary, { force: true });
    }
    await syncFolder(dirname(path));
  }

  async remove(path: string): Promise<void> {
    await rm(path, { recursive: true, force: true });
  }

  async list(path: string): Promise<readonly string[]> {
    try {
      return await readdir(path);
    } catch (error) {
      if (isMissing(error)) return [];
      throw error;
    }
  }

  async stat(path: string): Promise<FileFacts | undefined> {
    try {
      const facts = await lstat(path);
      return { folder: facts.isDirectory(), size: facts.size, mtimeMs: facts.mtimeMs };
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  async freeBytes(path: string): Promise<number> {
    const disk = await statfs(path);
    // File systems without a size of their own, as programs make them, say nothing.
    return disk.blocks === 0 ? Number.POSITIVE_INFINITY : disk.bavail * disk.bsize;
  }
}

/**
 * Makes a folder and those above it that are missing. Node's own way never ends where a file system has no
 * place for it but does not say so, as in `/proc`.
 *
 * @param mode - Of those that are made, before the umask.
 * @throws (rejects with) an error that carries the system's `code`.
 */
export async function makeFolders(path: string, mode = 0o777): Promise<void> {
  const above = dirname(path);
  try {
    await makeOne(path, mode);
  } catch (error) {
    if (codeOf(error) !== "ENOENT" || above === path) throw error;
    if (!(await isFolder(above))) await makeFolders(above, mode);
    await makeOne(path, mode);
  }
}

async function makeOne(path: string, mode: number): Promise<void> {
  try {
    await mkdir(path, { mode });
  } catch (error) {
    // It is there, or somebody else has made it just now.
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
