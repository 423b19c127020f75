import { isUtf8 } from "node:buffer";
import {
  closeSync,
  constants,
  type Dirent,
  lstatSync,
  openSync,
  readdirSync,
  realpathSync,
  type Stats,
  statSync,
} from "node:fs";
import { basename, dirname, resolve } from "node:path";
import type { FileListing, ListedFile, SkippedEntry } from "../ports/user-files.ts";
import { MadeUpFiles } from "./made-up-files.ts";
import { isTemporaryName } from "./temporary-name.ts";

/** Entries examined between two turns of the event loop. */
const ENTRIES_PER_TURN = 500;

/** Node's replacement for bytes that are not UTF-8. */
const REPLACEMENT = "\ufffd";

/**
 * Lists a file, or everything in a folder. The path itself may be a link; below it no link is
 * followed.
 *
 * @param options.seal - A folder below the path that holds a file of this name is left out with its
 * content.
 * @throws (rejects with) an error that carries the system's `code` when the path itself cannot be read, and
 *   the signal's reason.
 */
export async function listFiles(
  path: string,
  options: { readonly signal?: AbortSignal | undefined; readonly seal?: string | undefined } = {},
): Promise<FileListing> {
  const absolute = resolve(path);
  const name = basename(absolute);
  const facts = statSync(absolute);
  const folder = facts.isDirectory();
  // Resolve the link here: the code that reads the files follows none.
  const place = folder ? absolute : realpathSync(absolute);
  const walk = new Walk(folder ? place : dirname(place), options);
  if (folder) await walk.enter([]);
  else walk.add([basename(place)], facts);
  return { name, folder, root: walk.root, files: walk.files, skipped: walk.skipped };
}

/** What a folder holds. */
interface Entry<Name = string> {
  readonly name: Name;
  readonly kind: "file" | "folder" | "link" | "special" | "bad-name";
}

function entryOf<Name extends string | Buffer<ArrayBuffer>>(entry: Dirent<Name>): Entry<Name> {
  const { name } = entry;
  if (entry.isFile()) return { name, kind: "file" };
  if (entry.isDirectory()) return { name, kind: "folder" };
  return { name, kind: entry.isSymbolicLink() ? "link" : "special" };
}

class Walk {
  readonly root: string;
  readonly files: ListedFile[] = [];
  readonly skipped: SkippedEntry[] = [];
  readonly #signal: AbortSignal | undefined;
  readonly #seal: string | undefined;
  readonly #madeUp = new MadeUpFiles();
  #looked = 0;

  constructor(
    root: string,
    { signal, seal }: { signal?: AbortSignal | undefined; seal?: string | undefined },
  ) {
    this.root = root;
    this.#signal = signal;
    this.#seal = seal;
  }

  async enter(below: readonly string[]): Promise<void> {
    const entries = this.#list(below);
    if (below.length > 0 && entries.some(({ name }) => name === this.#seal)) {
      this.skipped.push({ path: below, why: "sealed" });
      return;
    }
    entries.sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)));
    for (const { name, kind } of entries) {
      this.#looked += 1;
      if (this.#looked % ENTRIES_PER_TURN === 0) await this.#turn();
      const path = [...below, name];
      if (kind === "folder") await this.enter(path);
      else if (kind === "bad-name") this.skipped.push({ path, why: kind });
      else if (isTemporaryName(name)) this.skipped.push({ path, why: "leftover" });
      else if (kind === "file") this.#look(path);
      else this.skipped.push({ path, why: kind });
    }
  }

  add(path: readonly string[], facts: Stats): void {
    if (!facts.isFile()) {
      this.skipped.push({ path, why: "special" });
      return;
    }
    if (this.#madeUp.has(facts.dev, this.#at(path))) {
      this.skipped.push({ path, why: "made-up" });
      return;
    }
    const { size: length, mtimeMs, mode } = facts;
    // The mode is not enough: there are access lists, other users' mounts and failing disks.
    closeSync(openSync(this.#at(path), constants.O_RDONLY | constants.O_NONBLOCK));
    this.files.push({ path, length, mtimeMs, executable: (mode & 0o100) !== 0 });
  }

  #list(below: readonly string[]): Entry[] {
    try {
      const entries = readdirSync(this.#at(below), { withFileTypes: true });
      const isPlain = entries.every(({ name }) => !name.includes(REPLACEMENT));
      return isPlain ? entries.map(entryOf) : this.#listBytes(below);
    } catch (error) {
      if (below.length === 0) throw error;
      this.#skip(below, error);
      return [];
    }
  }

  /**
   * Detects names that are not UTF-8, which no torrent can hold: Node replaces their bytes, so that
   * they name nothing, or even another file.
   */
  #listBytes(below: readonly string[]): Entry[] {
    const entries = readdirSync(this.#at(below), { withFileTypes: true, encoding: "buffer" });
    return entries.map((entry) => {
      const { name, kind } = entryOf(entry);
      return { name: name.toString(), kind: isUtf8(name) ? kind : "bad-name" };
    });
  }

  #look(path: readonly string[]): void {
    try {
      this.add(path, lstatSync(this.#at(path)));
    } catch (error) {
      this.#skip(path, error);
    }
  }

  /** Names found on disk need no normalising by `join`, which takes as long as the system call. */
  #at(path: readonly string[]): string {
    return `${this.root === "/" ? "" : this.root}/${path.join("/")}`;
  }

  #skip(path: readonly string[], error: unknown): void {
    if (!(error instanceof Error) || !("code" in error)) throw error;
    this.skipped.push({ path, why: "unreadable" });
  }

  async #turn(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    this.#signal?.throwIfAborted();
  }
}
