import {
  accessSync,
  constants,
  type Dirent,
  lstatSync,
  readdirSync,
  type Stats,
  statSync,
} from "node:fs";
import { basename, dirname, resolve } from "node:path";
import { isTemporaryName } from "./temporary-name.ts";

/** Entries looked at between two turns of the event loop. */
const ENTRIES_PER_TURN = 500;

/** Owner, group and all others may read. */
const READABLE_BY_ALL = 0o444;

/** A plain file that can be read. */
export interface FoundFile {
  /** Names below the root. */
  readonly path: readonly string[];
  /** Bytes. */
  readonly length: number;
  readonly mtimeMs: number;
  readonly executable: boolean;
}

/** Something that cannot be part of a torrent, and why (MET-24); `leftover`: of a run that was killed (STO-14). */
export interface SkippedEntry {
  readonly path: readonly string[];
  readonly why: "link" | "special" | "unreadable" | "bad-name" | "leftover";
}

export interface FileListing {
  /** Of the file or folder listed. */
  readonly name: string;
  readonly folder: boolean;
  /** Absolute; what paths are below of. */
  readonly root: string;
  /** By their names, in the order of their UTF-8 bytes: the same for the same content. */
  readonly files: readonly FoundFile[];
  readonly skipped: readonly SkippedEntry[];
}

/**
 * Lists a file, or all that a folder holds. The path itself may be a link; below it none is followed.
 *
 * @throws (rejects with) an error that carries the system's `code` when the path itself cannot be read, and
 *   the signal's reason.
 */
export async function listFiles(path: string, signal?: AbortSignal): Promise<FileListing> {
  const absolute = resolve(path);
  const name = basename(absolute);
  const facts = statSync(absolute);
  const folder = facts.isDirectory();
  const walk = new Walk(folder ? absolute : dirname(absolute), signal);
  if (folder) await walk.enter([]);
  else walk.add([name], facts);
  return { name, folder, root: walk.root, files: walk.files, skipped: walk.skipped };
}

class Walk {
  readonly root: string;
  readonly files: FoundFile[] = [];
  readonly skipped: SkippedEntry[] = [];
  readonly #signal: AbortSignal | undefined;
  #looked = 0;

  constructor(root: string, signal: AbortSignal | undefined) {
    this.root = root;
    this.#signal = signal;
  }

  async enter(below: readonly string[]): Promise<void> {
    const entries = this.#list(below);
    entries.sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)));
    for (const entry of entries) {
      this.#looked += 1;
      if (this.#looked % ENTRIES_PER_TURN === 0) await this.#turn();
      const path = [...below, entry.name];
      if (entry.isDirectory()) await this.enter(path);
      else if (isTemporaryName(entry.name)) this.skipped.push({ path, why: "leftover" });
      else if (entry.isFile()) this.#look(path);
      else this.skipped.push({ path, why: entry.isSymbolicLink() ? "link" : "special" });
    }
  }

  add(path: readonly string[], facts: Stats): void {
    if (!facts.isFile()) {
      this.skipped.push({ path, why: "special" });
      return;
    }
    const { size: length, mtimeMs, mode } = facts;
    // Most modes say it themselves. An access list that says otherwise is found when the file is opened.
    if ((mode & READABLE_BY_ALL) !== READABLE_BY_ALL) accessSync(this.#at(path), constants.R_OK);
    this.files.push({ path, length, mtimeMs, executable: (mode & 0o100) !== 0 });
  }

  #list(below: readonly string[]): Dirent[] {
    try {
      return readdirSync(this.#at(below), { withFileTypes: true });
    } catch (error) {
      if (below.length === 0) throw error;
      this.#skip(below, error);
      return [];
    }
  }

  #look(path: readonly string[]): void {
    try {
      this.add(path, lstatSync(this.#at(path)));
    } catch (error) {
      this.#skip(path, error);
    }
  }

  /** Names found on disk need none of the care of `join`, which takes as long as the system's answer. */
  #at(path: readonly string[]): string {
    return `${this.root === "/" ? "" : this.root}/${path.join("/")}`;
  }

  #skip(path: readonly string[], error: unknown): void {
    if (!(error instanceof Error) || !("code" in error)) throw error;
    // Node replaces what is no UTF-8 in a name, and then there is no such name.
    const badName = error.code === "ENOENT" && path.at(-1)?.includes("\ufffd") === true;
    this.skipped.push({ path, why: badName ? "bad-name" : "unreadable" });
  }

  async #turn(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    this.#signal?.throwIfAborted();
  }
}
