import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  type Stats,
  statSync,
} from "node:fs";
import { dirname } from "node:path";
import { onDisk, refusal, systemCode } from "./disk-refusal.ts";

/** Folders of one content to keep open. */
const FOLDERS_MAX = 32;
/**
 * Linux: a descriptor that only names a folder; it needs no more than the right to pass through the
 * folder.
 */
const O_PATH = 0o10000000;
export const O_FOLDER = O_PATH | constants.O_DIRECTORY;
/**
 * Where Linux lists a process's descriptors. A path through it starts at the open folder itself,
 * wherever that is now.
 */
const DESCRIPTORS = "/proc/self/fd";

const NOT_THROWING = { throwIfNoEntry: false } as const;

/** A folder below the root, or the root itself. */
export interface OpenFolder {
  readonly path: string;
  /** `undefined` where the system cannot open a file relative to a descriptor. */
  readonly descriptor: number | undefined;
  readonly device: number;
  readonly inode: number;
  /** The last burst in which its name still led to it. */
  seenIn: number;
}

/** What opening folders needs from the content they belong to. */
export interface FolderOwner {
  /** Absolute, without a trailing slash. The root may be a link, unlike everything below it. */
  readonly root: string;
  /**
   * True when the root existed before: if it is missing now, it was taken away and is not recreated
   * (STO-5).
   */
  wasRootSeen(): boolean;
  /** Opens within the limit on descriptors. */
  open(path: string, flags: number): number;
  /** Permissions of the folders it creates, before the umask; 0o777 when absent. */
  readonly folderMode?: number | undefined;
  /** Called when a folder was created in `above`, below the root. Its name is not durable yet. */
  handleMade?(above: string): void;
}

/**
 * The open folders of one content. Each is opened from the one above it, by its name alone, and
 * never through a link (house rule 6): swapping a folder for a link meanwhile changes nothing,
 * because the folder that was checked is the folder that is used (SYN-6).
 *
 * An open folder is reused while its name leads to it, which is checked once in each burst.
 */
export class OpenFolders {
  readonly #owner: FolderOwner;
  /** By absolute path, in order of use, least recent first. */
  readonly #folders = new Map<string, OpenFolder>();
  /** In use, so it must not be closed. */
  #held: OpenFolder | undefined;
  /** The current burst's number. */
  #burst = 0;
  /** The last folder that was missing, and the burst and error of that: its files are often asked for together. */
  #missing: { readonly path: string; readonly burst: number; readonly error: unknown } | undefined;

  constructor(owner: FolderOwner) {
    this.#owner = owner;
  }

  get count(): number {
    return this.#folders.size;
  }

  /** Folders that may be closed. */
  get spareCount(): number {
    return this.#folders.size - (this.#held ? 1 : 0);
  }

  /** Makes every folder be checked again. */
  beginBurst(): void {
    this.#burst += 1;
  }

  /**
   * Walks to a folder, and creates the missing ones when `create` is set.
   *
   * @param path - The root, or absolute and below it.
   * @returns The folder, which stays open until the next call.
   * @throws {DiskRefusal} `ELOOP` when a folder below the root is a link, `ENOTDIR` when it is not
   * a folder.
   */
  enter(path: string, create: boolean): OpenFolder {
    const known = this.#folders.get(path);
    const isSeen = known?.seenIn === this.#burst;
    const folder = isSeen ? this.#use(known) : this.#look(path, known, create);
    this.#held = folder;
    return folder;
  }

  /**
   * Closes the least recently used folder that is not in use. @returns False when there is none.
   */
  closeLeastRecent(): boolean {
    for (const folder of this.#folders.values()) {
      if (folder === this.#held) continue;
      this.#close(folder);
      return true;
    }
    return false;
  }

  /** Closes all folders but the one in use. */
  closeSpare(): void {
    while (this.closeLeastRecent());
  }

  closeAll(): void {
    this.#held = undefined;
    this.closeSpare();
  }

  #look(path: string, known: OpenFolder | undefined, create: boolean): OpenFolder {
    if (create) {
      this.#missing = undefined;
      return this.#walk(path, known, true);
    }
    const missing = this.#missing;
    if (missing?.path === path && missing.burst === this.#burst) throw missing.error;
    try {
      return this.#walk(path, known, false);
    } catch (error) {
      this.#missing = { path, burst: this.#burst, error };
      throw error;
    }
  }

  #walk(path: string, known: OpenFolder | undefined, create: boolean): OpenFolder {
    // Its path may lead through a link by now; all that counts is that it is still the same folder.
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
        if (makeFolder(entry, this.#owner.folderMode)) this.#owner.handleMade?.(folderOf(path));
        return this.#open(path, entry, constants.O_NOFOLLOW);
      }
      if (code !== "ENOTDIR") throw error;
      // The system returns the same code for a link and for a file.
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

/** The path of an entry in an open folder; use it only while the folder is open. */
export function entryOf(folder: Pick<OpenFolder, "descriptor" | "path">, name: string): string {
  const { descriptor, path } = folder;
  if (descriptor !== undefined) return `${DESCRIPTORS}/${descriptor}/${name}`;
  return `${path === "/" ? "" : path}/${name}`;
}

/** @param path - Absolute, as `safeJoin` returns it, so that it needs no `dirname`. */
export function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/")) || "/";
}

export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** Where a descriptor cannot serve as a path, trust the check of the folder. */
function lookAtFolder(path: string, entry: string, flags: number): OpenFolder {
  const followed = (flags & constants.O_NOFOLLOW) === 0;
  const facts = followed ? statSync(entry) : lstatSync(entry);
  if (facts.isSymbolicLink()) throw refusal("ELOOP", path);
  if (!facts.isDirectory()) throw refusal("ENOTDIR", path);
  return { path, descriptor: undefined, device: facts.dev, inode: facts.ino, seenIn: 0 };
}

/** @returns `undefined` when nothing is there or the way to it is broken. */
function factsOf(path: string): Stats | undefined {
  try {
    return statSync(path, NOT_THROWING);
  } catch (error) {
    // The walk finds out what stands there now.
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

/**
 * Creates a folder and its missing parents, and makes each name durable. Node's recursive mkdir never ends where a file
 * system cannot create a folder but does not say so, as in `/proc`.
 */
export function makeWithParents(folder: string): void {
  if (existsSync(folder)) return;
  const above = dirname(folder);
  if (above !== folder) makeWithParents(above);
  if (makeFolder(folder)) syncNames(above);
}

/** @returns False when the entry existed already; the next step checks what it is. */
function makeFolder(path: string, mode = 0o777): boolean {
  try {
    mkdirSync(path, { mode });
    return true;
  } catch (error) {
    if (systemCode(error) !== "EEXIST") throw error;
    return false;
  }
}

function syncNames(folder: string): void {
  let descriptor: number;
  try {
    descriptor = openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY);
  } catch (error) {
    // A folder that may be written to but not read cannot be synced.
    if (systemCode(error) !== "EACCES") throw error;
    return;
  }
  try {
    fsyncSync(descriptor);
  } catch (error) {
    // Some network file systems cannot sync folders; there is no other way to ask them.
    if (systemCode(error) !== "EINVAL") throw error;
  } finally {
    closeSync(descriptor);
  }
}
