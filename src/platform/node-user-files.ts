import {
  closeSync,
  constants,
  existsSync,
  lstatSync,
  openSync,
  realpathSync,
  renameSync,
  type Stats,
  statfsSync,
  statSync,
} from "node:fs";
import { access, type FileHandle, open, rename, rm } from "node:fs/promises";
import { dirname, matchesGlob, resolve } from "node:path";
import { systemCode } from "../base/system-code.ts";
import type {
  FileListing,
  FolderFiles,
  NamedContent,
  PathFacts,
  SecretPlace,
  UserFiles,
} from "../ports/user-files.ts";
import { removeLeftovers, syncFolder } from "./atomic-file.ts";
import { openToRead, readHandle } from "./bounded-file.ts";
import { makeFolders, NodeFiles } from "./node-files.ts";
import { temporaryPath } from "./temporary-name.ts";
import { listFiles } from "./walk-files.ts";

/** The unit of `Stats.blocks`, on every system. */
const STAT_BLOCK_BYTES = 512;

/** Error codes of a path that does not exist. */
const NOTHING: ReadonlySet<string | undefined> = new Set([
  "ENOENT",
  "ENOTDIR",
  "ENAMETOOLONG",
  "ELOOP",
]);

/** The files of this machine with the rights of the user who runs the program. */
export class NodeUserFiles implements UserFiles {
  absolute(path: string): string {
    return resolve(path);
  }

  real(path: string): string {
    return realpathSync(path);
  }

  look(path: string): PathFacts | undefined {
    return look(path, statSync);
  }

  lookAtEntry(path: string): PathFacts | undefined {
    return look(path, lstatSync);
  }

  exists(path: string): boolean {
    return existsSync(path);
  }

  tryToRead(path: string): void {
    closeSync(openSync(path, constants.O_RDONLY | constants.O_NONBLOCK));
  }

  async tryToWriteIn(folder: string): Promise<void> {
    await access(folder, constants.W_OK | constants.X_OK);
  }

  freeBytes(path: string): number {
    const { blocks, bavail, bsize } = statfsSync(path);
    // File systems without a size, such as those that programs provide, report nothing.
    return blocks === 0 ? Number.POSITIVE_INFINITY : bavail * bsize;
  }

  matchesGlob(path: string, pattern: string): boolean {
    return matchesGlob(path, pattern);
  }

  async read(path: string, limits: Parameters<UserFiles["read"]>[1]): Promise<NamedContent> {
    const { fileBytesMax, streamBytesMax, signal } = limits;
    await using file = await openToRead(path);
    const facts = await file.stat();
    const { size } = facts;
    const openToOthers = (facts.mode & 0o077) !== 0;
    if (facts.isDirectory()) return { kind: "folder", size: 0, openToOthers, bytes: undefined };
    if (!facts.isFile()) {
      const bytes = await readHandle(file, streamBytesMax, signal);
      return { kind: "stream", size: 0, openToOthers, bytes };
    }
    const bytes = size > fileBytesMax ? undefined : await readShared(file, size);
    return { kind: "file", size, openToOthers, bytes };
  }

  list(path: string, options: Parameters<UserFiles["list"]>[1]): Promise<FileListing> {
    return listFiles(path, options);
  }

  async write(path: string, bytes: Uint8Array): Promise<void> {
    const target = resolve(path);
    const temporary = temporaryPath(target, String(process.pid));
    try {
      await writeDurably(temporary, bytes);
      await rename(temporary, target);
      await syncFolder(dirname(target));
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
  }

  rename(from: string, to: string): void {
    renameSync(from, to);
  }

  makeFolders(path: string): Promise<void> {
    return makeFolders(path);
  }

  async removeLeftovers(folder: string, beforeMs: number): Promise<void> {
    await removeLeftovers(folder, beforeMs);
  }

  async createSecret(path: string): Promise<SecretPlace> {
    const file = await open(path, "wx", 0o600);
    let filled = false;
    return {
      async write(text) {
        await file.writeFile(text);
        await file.sync();
        filled = true;
      },
      /** Removes the file again when nothing was written to it. */
      async close() {
        await file.close();
        if (!filled) await rm(path, { force: true });
      },
    };
  }

  below(root?: string): FolderFiles {
    return new NodeFiles(root);
  }
}

function look(path: string, stat: (path: string) => Stats): PathFacts | undefined {
  try {
    return factsOf(stat(path));
  } catch (error) {
    if (NOTHING.has(systemCode(error))) return undefined;
    throw error;
  }
}

function factsOf(stats: Stats): PathFacts {
  const { size, blocks, mtimeMs, ctimeMs, ino, uid } = stats;
  return {
    kind: kindOf(stats),
    size,
    occupiedBytes: blocks * STAT_BLOCK_BYTES,
    mtimeMs,
    ctimeMs,
    inode: ino,
    own: uid === process.getuid?.(),
  };
}

function kindOf(stats: Stats): PathFacts["kind"] {
  if (stats.isFile()) return "file";
  if (stats.isDirectory()) return "folder";
  return stats.isSymbolicLink() ? "link" : "special";
}

/**
 * Copies into shared memory, where the disk workers can read the hashes of a million pieces without
 * another copy.
 */
async function readShared(file: FileHandle, size: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(new SharedArrayBuffer(size));
  let done = 0;
  while (done < size) {
    const { bytesRead } = await file.read(bytes, done, size - done, done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return bytes.subarray(0, done);
}

async function writeDurably(path: string, bytes: Uint8Array): Promise<void> {
  await using file = await open(path, "wx");
  await file.writeFile(bytes);
  await file.sync();
}
