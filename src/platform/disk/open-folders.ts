import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  type Stats,
  statSync,
} from "node:fs";
import { dirname } from "node:path";
import { onDisk, refusal, systemCode } from "./disk-refusal.ts";

/** Folders of one content that are kept open. */
const FOLDERS_MAX = 32;
/** Linux: a descriptor that only names a folder, for which the right to pass through it is enough. */
const O_PATH = 0o10000000;
export const O_FOLDER = O_PATH | constants.O_DIRECTORY;
/** Where Linux shows what a process has open. A path through it begins at that very folder, wherever it lies. */
const DESCRIPTORS = "/proc/self/fd";

const NOT_THROWING = { throwIfNoEntry: false } as const;

/** A folder below the root, the root itself included. */
export interface OpenFolder {
  readonly path: string;
  /** `undefined` where the system has no way to open a file from a descriptor. */
  readonly descriptor: number | undefined;
  readonly device: number;
  readonly inode: number;
  /** The burst in which its name was last seen to lead to it. */
  seenIn: number;
}

/** What opening folders takes from the content they belong to. */
export interface FolderOwner {
  /** Absolute, without a slash at the end. May be a link, unlike everything below it. */
  readonly root: string;
  /** A root that was there and is not was taken away: it is not made anew (STO-5). */
  wasRootSeen(): boolean;
  /** Opens within the bound for descriptors. */
  open(path: string, flags: number): number;
  /** Permissions of folders that are made, before the umask; 0o777 when absent. */
  readonly folderMode?: number | undefined;
}

/**
 * The open folders of one content. Each is opened from the one above it and by its name alone, and never
 * through a link (house rule 6): whoever swaps a folder for a link meanwhile changes nothing, because the
 * folder that was looked at is the folder that is used (SYN-6).
 *
 * A folder that is open already is used as long as its name leads to it. That is looked at once in each burst.
 */
export class OpenFolders {
  readonly #owner: FolderOwner;
  /** By absolute path; in the order of their use, the least recent first. */
  readonly #folders = new Map<string, OpenFolder>();
  /** In use: it may not be closed. */
  #held: OpenFolder | undefined;
  /** How many bursts there were. */
  #burst = 0;

  constructor(owner: FolderOwner) {
    this.#owner = owner;
  }

  get count(): number {
    return this.#folders.size;
  }

  /** How many of them may be closed. */
  get spareCount(): number {
    return this.#folders.size - (this.#held ? 1 : 0);
  }

  /** What was seen before has to be looked at again. */
  beginBurst(): void {
    this.#burst += 1;
  }

  /**
   * Walks to a folder, creating what is missing when `create`.
   *
   * @param path - The root, or absolute and below it.
   * @returns The folder, which stays open until the next call.
   * @throws {DiskRefusal} `ELOOP` when a folder below the root is a link, `ENOTDIR` when it is none.
   */
  enter(path: string, create: boolean): OpenFolder {
    const known = this.#folders.get(path);
    const isSeen = known?.seenIn === this.#burst;
    const folder = isSeen ? this.#use(known) : this.#look(path, known, create);
    this.#held = folder;
    return folder;
  }

  /** Closes the least recent that is not in use. @returns False when there is none. */
  closeLeastRecent(): boolean {
    for (const folder of this.#folders.values()) {
      if (folder === this.#held) continue;
      this.#close(folder);
      return true;
    }
    return false;
  }

  /** Closes all but the one in use. */
  closeSpare(): void {
    while (this.closeLeastRecent());
  }

  closeAll(): void {
    this.#held = undefined;
    this.closeSpare();
  }

  #look(path: string, known: OpenFolder | undefined, create: boolean): OpenFolder {
    // Its path may lead to it through a link by now; that it is the same folder is what counts.
    if (known && isSame(known, factsOf(path))) return this.#use(known);
    if (known) this.#close(known);
    const { root } = this.#owner;
    if (path === root) {
      return onDisk(root, () => {
        if (create && !this.#owner.wasRootSeen()) makeWithParents(root);
        return this.#open(root, root, constants.O_DIRECTORY);
      });
    }
    const above = this.enter(folderOf(path), create);
    return onDisk(path, () => this.#openBelow(path, entryOf(above, nameOf(path)), create));
  }

  #openBelow(path: string, entry: string, create: boolean): OpenFolder {
    try {
      return this.#open(path, entry, constants.O_NOFOLLOW);
    } catch (error) {
      const code = systemCode(error);
      if (code === "ENOENT" && create) {
        makeFolder(entry, this.#owner.folderMode);
        return this.#open(path, entry, constants.O_NOFOLLOW);
      }
      if (code !== "ENOTDIR") throw error;
      // The system says the same of a link and of a file.
      const isLink = lstatSync(entry, NOT_THROWING)?.isSymbolicLink() === true;
      throw refusal(isLink ? "ELOOP" : "ENOTDIR", path);
    }
  }

  #open(path: string, entry: string, flags: number): OpenFolder {
    const folder = hasDescriptorPaths()
      ? this.#openDescriptor(path, entry, flags)
      : lookAtFolder(path, entry, flags);
    while (this.#folders.size >= FOLDERS_MAX && this.closeLeastRecent());
    return this.#use(folder);
  }

  #openDescriptor(path: string, entry: string, flags: number): OpenFolder {
    const descriptor = this.#owner.open(entry, O_FOLDER | flags);
    const { dev: device, ino: inode } = fstatSync(descriptor);
    return { path, descriptor, device, inode, seenIn: 0 };
  }

  #use(folder: OpenFolder): OpenFolder {
    folder.seenIn = this.#burst;
    this.#folders.delete(folder.path);
    this.#folders.set(folder.path, folder);
    return folder;
  }

  #close(folder: OpenFolder): void {
    if (this.#held === folder) this.#held = undefined;
    this.#folders.delete(folder.path);
    if (folder.descriptor !== undefined) closeSync(folder.descriptor);
  }
}

/** The path of something in an open folder, to be used while that is open. */
export function entryOf(folder: Pick<OpenFolder, "descriptor" | "path">, name: string): string {
  const { descriptor, path } = folder;
  if (descriptor !== undefined) return `${DESCRIPTORS}/${descriptor}/${name}`;
  return `${path === "/" ? "" : path}/${name}`;
}

/** @param path - Absolute, as `safeJoin` makes them: none of the care of `dirname` is needed. */
export function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/")) || "/";
}

export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** Where no descriptor can be a path, a folder is what it was when it was looked at. */
function lookAtFolder(path: string, entry: string, flags: number): OpenFolder {
  const followed = (flags & constants.O_NOFOLLOW) === 0;
  const facts = followed ? statSync(entry) : lstatSync(entry);
  if (facts.isSymbolicLink()) throw refusal("ELOOP", path);
  if (!facts.isDirectory()) throw refusal("ENOTDIR", path);
  return { path, descriptor: undefined, device: facts.dev, inode: facts.ino, seenIn: 0 };
}

/** @returns `undefined` when nothing is there, or the way to it is cut. */
function factsOf(path: string): Stats | undefined {
  try {
    return statSync(path, NOT_THROWING);
  } catch (error) {
    // What stands there now is found when it is walked to.
    if (systemCode(error) === undefined) throw error;
    return undefined;
  }
}

function isSame(folder: OpenFolder, facts: Stats | undefined): boolean {
  return facts !== undefined && facts.ino === folder.inode && facts.dev === folder.device;
}

let descriptorPaths: boolean | undefined;

/** Linux has them, unless `/proc` is not mounted. */
export function hasDescriptorPaths(): boolean {
  descriptorPaths ??= process.platform === "linux" && existsSync(DESCRIPTORS);
  return descriptorPaths;
}

/** Node's own way never ends where a file system has no place for a folder but does not say so, as in `/proc`. */
export function makeWithParents(folder: string): void {
  if (existsSync(folder)) return;
  const above = dirname(folder);
  if (above !== folder) makeWithParents(above);
  makeFolder(folder);
}

function makeFolder(path: string, mode = 0o777): void {
  try {
    mkdirSync(path, { mode });
  } catch (error) {
    // Often it is there; what it is, is looked at next.
    if (systemCode(error) !== "EEXIST") throw error;
  }
}
