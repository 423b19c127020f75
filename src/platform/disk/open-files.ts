import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  type Stats,
} from "node:fs";
import { dirname, join } from "node:path";
import { safeJoin, UnsafePathError } from "../../base/safe-join.ts";
import { DiskRefusal, onDisk, refusal, systemCode } from "./disk-refusal.ts";
import { CREATED, type LayoutTable, SEEN } from "./shared-layout.ts";

const CHECKED_FOLDERS_MAX = 4096;
/** Not blocking, so that a pipe in the place of a file is refused and not waited for. */
const SAFE = constants.O_NOFOLLOW | constants.O_NONBLOCK;

interface OpenFile {
  readonly descriptor: number;
  readonly writable: boolean;
}

export type Access = "read" | "write";

/**
 * The open files of one content. Files are opened without following a link in any place below the root
 * (house rule 6): the last by the kernel, the folders by looking at each once.
 */
export class OpenFiles {
  readonly #table: LayoutTable;
  readonly #budget: DescriptorBudget;
  /** In the order of their use, the least recent first. */
  readonly #files = new Map<number, OpenFile>();
  readonly #checkedFolders = new Set<string>();
  /** Of the times that all had to be opened anew, those that were heeded. */
  #openings = 0;

  constructor(table: LayoutTable, budget: DescriptorBudget) {
    this.#table = table;
    this.#budget = budget;
    budget.join(this);
  }

  get count(): number {
    return this.#files.size;
  }

  /**
   * Absolute path of a file of the layout, or of its part file.
   *
   * @throws {DiskRefusal} `EPERM` for a path that leaves the root, whoever let it pass.
   */
  path(file: number): string {
    if (file === this.#table.partIndex) return this.#table.shared.partFile;
    return this.below(this.#table.path(file));
  }

  /** Like `path`, for any path of the layout. */
  below(relative: string): string {
    const { root } = this.#table.shared;
    try {
      return safeJoin(root, relative.split("/"));
    } catch (error) {
      if (!(error instanceof UnsafePathError)) throw error;
      throw refusal("EPERM", join(root, relative));
    }
  }

  /**
   * @returns A descriptor, ours: it stays valid until the next call.
   * @throws {DiskRefusal} Also `ELOOP` for links, `EISDIR` and `EINVAL` for what is no plain file.
   */
  open(file: number, access: Access): number {
    this.#heedOpenings();
    const known = this.#files.get(file);
    if (known && (access === "read" || isStillWritable(known))) {
      this.#files.delete(file);
      this.#files.set(file, known);
      return known.descriptor;
    }
    if (known) this.close(file);
    this.#budget.makeRoom();
    const path = this.path(file);
    const descriptor = onDisk(path, () => this.#openAnew(file, path, access));
    this.#table.mark(this.#table.rootIndex, SEEN);
    this.#table.mark(file, SEEN);
    this.#files.set(file, { descriptor, writable: access === "write" });
    return descriptor;
  }

  #heedOpenings(): void {
    const openings = Atomics.load(this.#table.shared.openings, 0);
    if (openings === this.#openings) return;
    this.#openings = openings;
    this.closeAll();
  }

  /**
   * Opens a file that exists for reading, apart from all others.
   *
   * @returns A descriptor for the caller to close.
   */
  openApart(file: number): number {
    const path = this.path(file);
    this.#heedOpenings();
    return onDisk(path, () => {
      this.enterFolder(path, false);
      return this.#openPlain(file, path, "read");
    });
  }

  close(file: number): void {
    const open = this.#files.get(file);
    if (!open) return;
    this.#files.delete(file);
    closeSync(open.descriptor);
  }

  closeLeastRecent(): void {
    for (const file of this.#files.keys()) {
      this.close(file);
      return;
    }
  }

  /** Closes everything; opening again is possible. */
  closeAll(): void {
    for (const { descriptor } of this.#files.values()) closeSync(descriptor);
    this.#files.clear();
    this.#checkedFolders.clear();
  }

  /** Closes everything for good. */
  end(): void {
    this.closeAll();
    this.#budget.leave(this);
  }

  /**
   * Walks to the folder that holds a path below the root, creating what is missing when `create`.
   *
   * @throws {DiskRefusal} `ELOOP` when one of the folders is a link.
   */
  enterFolder(path: string, create: boolean): void {
    const { root, partFile } = this.#table.shared;
    const folder = dirname(path);
    if (folder === root) this.#enterRoot(create);
    else if (path !== partFile) this.#enterBelow(folder, create);
    else if (create) onDisk(folder, () => makeWithParents(folder));
  }

  #enterRoot(create: boolean): void {
    const { root } = this.#table.shared;
    if (this.#checkedFolders.has(root)) return;
    // Made once for a new download; a root that vanished later is a disk that was taken away (STO-5).
    const fresh = create && !this.#table.has(this.#table.rootIndex, SEEN);
    onDisk(root, () => (fresh ? makeWithParents(root) : lstatSync(root)));
    this.#remember(root);
  }

  #enterBelow(folder: string, create: boolean): void {
    if (this.#checkedFolders.has(folder)) return;
    this.enterFolder(folder, create);
    const facts = onDisk(folder, () => (create ? makeFolder(folder) : lstatSync(folder)));
    if (facts.isSymbolicLink()) throw refusal("ELOOP", folder);
    if (!facts.isDirectory()) throw refusal("ENOTDIR", folder);
    this.#remember(folder);
  }

  #remember(folder: string): void {
    if (this.#checkedFolders.size >= CHECKED_FOLDERS_MAX) this.#checkedFolders.clear();
    this.#checkedFolders.add(folder);
  }

  #openAnew(file: number, path: string, access: Access): number {
    const create = access === "write" && this.#mayCreate(file);
    try {
      this.enterFolder(path, create);
      return this.#openPlain(file, path, access);
    } catch (error) {
      if (!isMissing(error)) throw error;
      // A folder that was there may be gone: look again from the root on, and name what is missing.
      this.#checkedFolders.clear();
      this.enterFolder(path, create);
      return this.#openPlain(file, path, access);
    }
  }

  /**
   * A file that was there and is gone took pieces along that count as stored: a new one in its place would
   * pass for it. It is a failure until it is back, or the content is opened and judged anew.
   */
  #mayCreate(file: number): boolean {
    return !this.#table.has(file, SEEN) || this.#table.shared.lengths[file] === 0;
  }

  #openPlain(file: number, path: string, access: Access): number {
    const mode = access === "write" ? constants.O_RDWR : constants.O_RDONLY;
    let descriptor: number;
    try {
      descriptor = this.#budget.open(path, mode | SAFE);
    } catch (error) {
      const missing = access === "write" && systemCode(error) === "ENOENT";
      if (!missing || !this.#mayCreate(file)) throw error;
      const executable = file < this.#table.partIndex && this.#table.isExecutable(file);
      const permissions = executable ? 0o777 : 0o666;
      descriptor = this.#budget.open(path, mode | SAFE | constants.O_CREAT, permissions);
      this.#table.mark(file, CREATED);
    }
    const facts = fstatSync(descriptor);
    if (facts.isFile()) return descriptor;
    closeSync(descriptor);
    throw refusal(facts.isDirectory() ? "EISDIR" : "EINVAL", path);
  }
}

/** Writing to a file that was deleted would lose what is written without a word. */
function isStillWritable(open: OpenFile): boolean {
  return open.writable && fstatSync(open.descriptor).nlink > 0;
}

/** Bounds how many files one worker has open over all contents (STO-7). */
export class DescriptorBudget {
  readonly #filesMax: number;
  readonly #sharers = new Set<OpenFiles>();

  constructor(filesMax: number) {
    this.#filesMax = filesMax;
  }

  join(files: OpenFiles): void {
    this.#sharers.add(files);
  }

  leave(files: OpenFiles): void {
    this.#sharers.delete(files);
  }

  /** Closes files until one more is within the bound; the content with the most gives first. */
  makeRoom(): void {
    while (this.#count() >= this.#filesMax) this.#largest()?.closeLeastRecent();
  }

  /** When the process has no descriptors left, ours give way first. */
  open(path: string, flags: number, permissions?: number): number {
    try {
      return openSync(path, flags, permissions);
    } catch (error) {
      const code = systemCode(error);
      if ((code !== "EMFILE" && code !== "ENFILE") || this.#count() === 0) throw error;
      for (const files of this.#sharers) files.closeAll();
      return openSync(path, flags, permissions);
    }
  }

  #count(): number {
    let count = 0;
    for (const files of this.#sharers) count += files.count;
    return count;
  }

  #largest(): OpenFiles | undefined {
    let largest: OpenFiles | undefined;
    for (const files of this.#sharers) if (files.count > (largest?.count ?? 0)) largest = files;
    return largest;
  }
}

/** Node's own way never ends where a file system has no place for a folder but does not say so, as in `/proc`. */
function makeWithParents(folder: string): void {
  if (existsSync(folder)) return;
  const above = dirname(folder);
  if (above !== folder) makeWithParents(above);
  makeFolder(folder);
}

function makeFolder(folder: string): Stats {
  try {
    mkdirSync(folder);
  } catch (error) {
    // Often it is there; what it is, is looked at next.
    if (systemCode(error) !== "EEXIST") throw error;
  }
  return lstatSync(folder);
}

function isMissing(error: unknown): boolean {
  if (error instanceof DiskRefusal) return error.failure.code === "ENOENT";
  return systemCode(error) === "ENOENT";
}
