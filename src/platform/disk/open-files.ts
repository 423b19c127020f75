import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  type Stats,
  statSync,
} from "node:fs";
import { join } from "node:path";
import { safeJoin, UnsafePathError } from "../../base/safe-join.ts";
import { unfinishedPath } from "../../base/unfinished-names.ts";
import { failureCode, onDisk, refusal, systemCode } from "./disk-refusal.ts";
import {
  entryOf,
  folderOf,
  hasDescriptorPaths,
  makeWithParents,
  nameOf,
  OpenFolders,
} from "./open-folders.ts";
import { CREATED, type LayoutTable, SEEN } from "./shared-layout.ts";

/** Bytes of a path with the zero at its end, on Linux (PATH_MAX). Who walks by folders could go deeper, others not. */
const PATH_BYTES_MAX = 4096;
/** Not blocking, so that a pipe in the place of a file is refused and not waited for. */
const SAFE = constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** What the system, or we, say of a file that is not at its place. */
const ABSENT: ReadonlySet<string> = new Set(["ENOENT", "ENOTDIR", "ELOOP"]);

interface OpenFile {
  readonly descriptor: number;
  readonly writable: boolean;
}

export type Access = "read" | "write";

/**
 * The open files of one content. No link below the root is followed, in any place of a path (house rule 6): each
 * folder is opened from the one above it, and the file from its folder.
 */
export class OpenFiles {
  readonly #table: LayoutTable;
  readonly #budget: DescriptorBudget;
  /** In the order of their use, the least recent first. */
  readonly #files = new Map<number, OpenFile>();
  readonly #folders: OpenFolders;
  /** Of the times that all had to be opened anew, those that were heeded. */
  #openings = 0;
  /** Bursts within bursts. */
  #bursts = 0;

  constructor(table: LayoutTable, budget: DescriptorBudget) {
    this.#table = table;
    this.#budget = budget;
    this.#folders = new OpenFolders({
      root: table.shared.root,
      wasRootSeen: () => table.has(table.rootIndex, SEEN),
      open: (path, flags) => budget.open(path, flags),
    });
    budget.join(this);
  }

  get count(): number {
    return this.#files.size + this.#folders.count;
  }

  /** How many descriptors may be closed now. */
  get spareCount(): number {
    return this.#files.size + this.#folders.spareCount;
  }

  /**
   * Until `endBurst`, folders that were seen to be at their places are not looked at again. For calls that follow each
   * other without a turn of the event loop; a burst may be part of another.
   */
  beginBurst(): void {
    if (this.#bursts === 0) this.#begin();
    this.#bursts += 1;
  }

  endBurst(): void {
    this.#bursts -= 1;
  }

  #begin(): void {
    this.#folders.beginBurst();
    const openings = Atomics.load(this.#table.shared.openings, 0);
    if (openings === this.#openings) return;
    this.#openings = openings;
    this.closeAll();
  }

  /**
   * Absolute path where a file of the layout, or its part file, stands: under its own name, or under that of an
   * unfinished file.
   *
   * @throws {DiskRefusal} `EPERM` for a path that leaves the root, whoever let it pass.
   */
  path(file: number): string {
    if (file === this.#table.partIndex) return this.#table.shared.partFile;
    const path = this.finalPath(file);
    const { unfinishedSuffix, lengths } = this.#table.shared;
    if (unfinishedSuffix === undefined || lengths[file] === 0) return path;
    const unfinished = unfinishedPath(path, unfinishedSuffix);
    if (unfinished === undefined || isTooLong(unfinished)) return path;
    return this.#isUnfinished(file, path) ? unfinished : path;
  }

  /** Like `path`, for the file when it is whole. */
  finalPath(file: number): string {
    return this.below(this.#table.path(file));
  }

  /** What stands under the file's own name is the file: it was there before, or somebody has seen to it. */
  #isUnfinished(file: number, path: string): boolean {
    const known = this.#table.isUnfinished(file);
    return known ?? this.#table.decideName(file, this.lookAtPath(path) === undefined);
  }

  /** Like `path`, for any path of the layout. */
  below(relative: string): string {
    const { root } = this.#table.shared;
    let path: string;
    try {
      path = safeJoin(root, relative.split("/"));
    } catch (error) {
      if (!(error instanceof UnsafePathError)) throw error;
      throw refusal("EPERM", join(root, relative));
    }
    if (isTooLong(path)) throw refusal("ENAMETOOLONG", path);
    return path;
  }

  /**
   * @returns A descriptor, ours: it stays valid until the next call.
   * @throws {DiskRefusal} Also `ELOOP` for links, `EISDIR` and `EINVAL` for what is no plain file.
   */
  open(file: number, access: Access): number {
    if (this.#bursts === 0) this.#begin();
    const known = this.#files.get(file);
    if (known && (access === "read" || isStillWritable(known))) {
      this.#files.delete(file);
      this.#files.set(file, known);
      return known.descriptor;
    }
    if (known) this.close(file);
    const path = this.path(file);
    const descriptor = onDisk(path, () => this.#openAnew(file, path, access));
    this.#table.mark(this.#table.rootIndex, SEEN);
    this.#table.mark(file, SEEN);
    this.#files.set(file, { descriptor, writable: access === "write" });
    return descriptor;
  }

  /**
   * Opens a file that exists for reading, apart from all others.
   *
   * @returns A descriptor for the caller to close.
   */
  openApart(file: number): number {
    const path = this.path(file);
    if (this.#bursts === 0) this.#begin();
    return onDisk(path, () => this.#openPlain(file, this.#entry(path, false), path, "read"));
  }

  close(file: number): void {
    const open = this.#files.get(file);
    if (!open) return;
    this.#files.delete(file);
    closeSync(open.descriptor);
  }

  /** Closes one that is not in use; files before the folders they were opened from. */
  closeLeastRecent(): void {
    for (const file of this.#files.keys()) {
      this.close(file);
      return;
    }
    this.#folders.closeLeastRecent();
  }

  /** Closes all but the folder that is in use. */
  closeSpare(): void {
    for (const { descriptor } of this.#files.values()) closeSync(descriptor);
    this.#files.clear();
    this.#folders.closeSpare();
  }

  /** Closes everything; opening again is possible. */
  closeAll(): void {
    this.closeSpare();
    this.#folders.closeAll();
  }

  /** Closes everything for good. */
  end(): void {
    this.closeAll();
    this.#budget.leave(this);
  }

  /**
   * The way to a path below the root that no link changes: through its folder, which is walked to and created
   * when `create`.
   *
   * @param path - Absolute, of this content.
   * @returns A path for the next call of the system, and for no other.
   * @throws {DiskRefusal} `ELOOP` when one of the folders is a link.
   */
  entry(path: string, create: boolean): string {
    if (this.#bursts === 0) this.#begin();
    return this.#entry(path, create);
  }

  #entry(path: string, create: boolean): string {
    const { partFile, throughLinks } = this.#table.shared;
    if (throughLinks) return path;
    const folder = folderOf(path);
    // It usually lies in the root; elsewhere it is ours alone, like the folder it is in.
    if (path !== partFile || folder === this.#table.shared.root) {
      return entryOf(this.#folders.enter(folder, create), nameOf(path));
    }
    if (create) onDisk(folder, () => makeWithParents(folder));
    return path;
  }

  /**
   * Looks at a file, or whatever stands in its place.
   *
   * @returns `undefined` when there is nothing; what lies behind a link is none of ours.
   */
  lookAt(file: number): Stats | undefined {
    return this.lookAtPath(this.path(file));
  }

  /** Like `lookAt`, for any path of this content. */
  lookAtPath(path: string): Stats | undefined {
    return onDisk(path, () => {
      try {
        const entry = this.entry(path, false);
        return this.#table.shared.throughLinks ? statSync(entry) : lstatSync(entry);
      } catch (error) {
        if (ABSENT.has(failureCode(error) ?? "")) return undefined;
        throw error;
      }
    });
  }

  /**
   * Opens a folder, to make it durable.
   *
   * @param folder - The root, or absolute and below it.
   * @returns A descriptor for the caller to close.
   */
  openFolder(folder: string): number {
    if (this.#bursts === 0) this.#begin();
    return onDisk(folder, () => {
      const entry = entryOf(this.#folders.enter(folder, false), ".");
      return this.#budget.open(entry, constants.O_RDONLY | constants.O_DIRECTORY);
    });
  }

  #openAnew(file: number, path: string, access: Access): number {
    const entry = this.#entry(path, access === "write" && this.#mayCreate(file));
    return this.#openPlain(file, entry, path, access);
  }

  /**
   * A file that was there and is gone took pieces along that count as stored: a new one in its place would
   * pass for it. It is a failure until it is back, or the content is opened and judged anew.
   */
  #mayCreate(file: number): boolean {
    return !this.#table.has(file, SEEN) || this.#table.shared.lengths[file] === 0;
  }

  /** @param entry - The way to `path`. */
  #openPlain(file: number, entry: string, path: string, access: Access): number {
    const mode = access === "write" ? constants.O_RDWR : constants.O_RDONLY;
    const { throughLinks } = this.#table.shared;
    const flags = mode | (throughLinks ? constants.O_NONBLOCK : SAFE);
    let descriptor: number;
    let isNew = false;
    try {
      descriptor = this.#budget.open(entry, flags);
    } catch (error) {
      const missing = access === "write" && systemCode(error) === "ENOENT";
      if (!missing || !this.#mayCreate(file)) throw error;
      const executable = file < this.#table.partIndex && this.#table.isExecutable(file);
      const permissions = executable ? 0o777 : 0o666;
      // Exclusive: what somebody has put there since is not ours.
      const creating = flags | constants.O_CREAT | constants.O_EXCL;
      descriptor = this.#budget.open(entry, creating, permissions);
      isNew = true;
    }
    const facts = fstatSync(descriptor);
    const why = this.#whyNot(file, path, { facts, access, isNew });
    if (why !== undefined) {
      closeSync(descriptor);
      throw refusal(why, path);
    }
    if (isNew) {
      this.#table.own(file, facts.ino);
      this.#table.mark(file, CREATED);
    }
    return descriptor;
  }

  /** @returns Why what was opened is not used, as the system would say it; `undefined` when it may be. */
  #whyNot(
    file: number,
    path: string,
    opened: { readonly facts: Stats; readonly access: Access; readonly isNew: boolean },
  ): string | undefined {
    const { facts, access, isNew } = opened;
    const { throughLinks } = this.#table.shared;
    if (!facts.isFile()) return facts.isDirectory() ? "EISDIR" : "EINVAL";
    if (!hasDescriptorPaths() && !throughLinks && !this.#leadsTo(path, facts)) return "ELOOP";
    const isForeign = access === "write" && !isNew && !this.#table.mayWriteTo(file, facts.ino);
    return isForeign ? "EEXIST" : undefined;
  }

  /** Where a path is all there is, it is walked once more: a link that was in it for a moment led elsewhere. */
  #leadsTo(path: string, { dev, ino }: Stats): boolean {
    const now = lstatSync(this.#entry(path, false));
    return now.dev === dev && now.ino === ino;
  }
}

function isTooLong(path: string): boolean {
  // No character of UTF-16 takes more than three bytes.
  return path.length * 3 >= PATH_BYTES_MAX && Buffer.byteLength(path) >= PATH_BYTES_MAX;
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

  /**
   * Opens something within the bound: the content with the most gives first. When the process has no descriptors
   * left, ours give way too.
   */
  open(path: string, flags: number, permissions?: number): number {
    this.#makeRoom();
    try {
      return openSync(path, flags, permissions);
    } catch (error) {
      const code = systemCode(error);
      if ((code !== "EMFILE" && code !== "ENFILE") || this.#count() === 0) throw error;
      for (const files of this.#sharers) files.closeSpare();
      return openSync(path, flags, permissions);
    }
  }

  #makeRoom(): void {
    while (this.#count() >= this.#filesMax) {
      const largest = this.#largest();
      // What is in use at this moment may be all there is.
      if (!largest) return;
      largest.closeLeastRecent();
    }
  }

  #count(): number {
    let count = 0;
    for (const files of this.#sharers) count += files.count;
    return count;
  }

  #largest(): OpenFiles | undefined {
    let largest: OpenFiles | undefined;
    for (const files of this.#sharers)
      if (files.spareCount > (largest?.spareCount ?? 0)) largest = files;
    return largest;
  }
}
