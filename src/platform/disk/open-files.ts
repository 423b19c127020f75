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

/**
 * Bytes of a path with its final zero on Linux (PATH_MAX). Walking folder by folder could go
 * deeper, but other programs could not.
 */
const PATH_BYTES_MAX = 4096;
/** Non-blocking, so that a pipe in a file's place is refused at once. */
const SAFE = constants.O_NOFOLLOW | constants.O_NONBLOCK;

const NOT_THROWING = { throwIfNoEntry: false } as const;

/** Codes, of the system or ours, for a file that is not at its place. */
const ABSENT: ReadonlySet<string> = new Set(["ENOENT", "ENOTDIR", "ELOOP"]);

interface OpenFile {
  readonly descriptor: number;
  readonly writable: boolean;
}

export type Access = "read" | "write";

/**
 * The open files of one content. No link below the root is followed in any component of a path
 * (house rule 6): each folder is opened from the one above it, and the file from its folder.
 */
export class OpenFiles {
  readonly #table: LayoutTable;
  readonly #budget: DescriptorBudget;
  /** In order of use, least recent first. */
  readonly #files = new Map<number, OpenFile>();
  readonly #folders: OpenFolders;
  /** The value of `openings` that this worker has acted on. */
  #openings = 0;
  /** Depth of nested bursts. */
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

  /** Descriptors that may be closed now. */
  get spareCount(): number {
    return this.#files.size + this.#folders.spareCount;
  }

  /**
   * Until `endBurst`, a folder that was found at its place is not checked again. For calls that
   * follow each other without a turn of the event loop. Bursts may nest.
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
   * The absolute path of a file of the layout, or of its part file, under its own or its unfinished
   * name.
   *
   * @throws {DiskRefusal} `EPERM` for a path outside the root, even if the layout let it pass.
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

  /** Like `path`, for the file under its final name. */
  finalPath(file: number): string {
    return this.below(this.#table.path(file));
  }

  /**
   * Treats the entry under the file's own name as the file: it was there before, or a job has put
   * it there.
   */
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
   * @returns A descriptor that this object owns; it stays valid until the next call.
   * @throws {DiskRefusal} Also `ELOOP` for links; `EISDIR` and `EINVAL` for other entries that are
   * not plain files.
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
   * Opens an existing file for reading, separately from all others.
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

  /** Closes a descriptor that is not in use; files before the folders they were opened from. */
  closeLeastRecent(): void {
    for (const file of this.#files.keys()) {
      this.close(file);
      return;
    }
    this.#folders.closeLeastRecent();
  }

  /** Closes everything but the folder in use. */
  closeSpare(): void {
    for (const { descriptor } of this.#files.values()) closeSync(descriptor);
    this.#files.clear();
    this.#folders.closeSpare();
  }

  /** Closes everything; files can be opened again. */
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
   * Returns a path below the root that no link can redirect: a path through its open folder.
   * Creates the folder when `create` is set.
   *
   * @param path - Absolute, of this content.
   * @returns A path that is valid for the next system call only.
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
    // It usually lies in the root; elsewhere it and its folder belong to us alone.
    if (path !== partFile || folder === this.#table.shared.root) {
      return entryOf(this.#folders.enter(folder, create), nameOf(path));
    }
    if (create) onDisk(folder, () => makeWithParents(folder));
    return path;
  }

  /**
   * Returns the facts of a file, or of whatever stands in its place.
   *
   * @returns `undefined` when nothing is there; an entry behind a link does not count.
   */
  lookAt(file: number): Stats | undefined {
    return this.lookAtPath(this.path(file));
  }

  /** Like `lookAt`, for any path of this content. */
  lookAtPath(path: string): Stats | undefined {
    return onDisk(path, () => {
      try {
        const entry = this.entry(path, false);
        // A missing file is the usual case in a new download, and an exception costs more than the call.
        return this.#table.shared.throughLinks
          ? statSync(entry, NOT_THROWING)
          : lstatSync(entry, NOT_THROWING);
      } catch (error) {
        if (ABSENT.has(failureCode(error) ?? "")) return undefined;
        throw error;
      }
    });
  }

  /**
   * Opens a folder to sync it.
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
   * A file that existed and is gone took with it pieces that count as stored: a new file in its
   * place would pass for it. Fail until it is back, or until the content is opened and checked
   * again.
   */
  #mayCreate(file: number): boolean {
    return !this.#table.has(file, SEEN) || this.#table.shared.lengths[file] === 0;
  }

  /** @param entry - The way to `path`. */
  #openPlain(file: number, entry: string, path: string, access: Access): number {
    const mode = access === "write" ? constants.O_RDWR : constants.O_RDONLY;
    const { throughLinks } = this.#table.shared;
    const flags = mode | (throughLinks ? constants.O_NONBLOCK : SAFE);
    // A file that was never seen is rarely there: creating it first spares an exception for each new file.
    const created =
      access === "write" && this.#mayCreate(file) ? this.#create(file, entry, flags) : undefined;
    const isNew = created !== undefined;
    const descriptor = created ?? this.#budget.open(entry, flags);
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

  /** @returns `undefined` when something is there. */
  #create(file: number, entry: string, flags: number): number | undefined {
    const executable = file < this.#table.partIndex && this.#table.isExecutable(file);
    const permissions = executable ? 0o777 : 0o666;
    try {
      // Exclusive: a file that somebody has created there since is not ours.
      const creating = flags | constants.O_CREAT | constants.O_EXCL;
      return this.#budget.open(entry, creating, permissions);
    } catch (error) {
      if (systemCode(error) !== "EEXIST") throw error;
      return undefined;
    }
  }

  /**
   * @returns The system's code for refusing the file that was opened; `undefined` when it may be
   * used.
   */
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

  /**
   * Where only paths are available, walk the path once more: a link that stood in it for a moment
   * could have led elsewhere.
   */
  #leadsTo(path: string, { dev, ino }: Stats): boolean {
    const now = lstatSync(this.#entry(path, false));
    return now.dev === dev && now.ino === ino;
  }
}

function isTooLong(path: string): boolean {
  // No UTF-16 unit takes more than three bytes in UTF-8.
  return path.length * 3 >= PATH_BYTES_MAX && Buffer.byteLength(path) >= PATH_BYTES_MAX;
}

/** Refuse to write to a deleted file: the bytes would be lost silently. */
function isStillWritable(open: OpenFile): boolean {
  return open.writable && fstatSync(open.descriptor).nlink > 0;
}

/** Limits the files that one worker has open over all contents (STO-7). */
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
   * Opens a file within the limit: the content with the most open files closes some first. If the
   * process has run out of descriptors all the same, it closes files of ours and tries again.
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
      // Whatever is in use at this moment may be all there is.
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
