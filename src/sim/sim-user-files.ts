import { invariant } from "../base/errors.ts";
import { BLOCK_BYTES } from "../base/geometry.ts";
import { folderOf, nameOf } from "../base/paths.ts";
import type {
  DuplicateOptions,
  Duplication,
  FileListing,
  FolderFiles,
  ListedFile,
  NamedContent,
  PathFacts,
  SecretPlace,
  UserFiles,
} from "../ports/user-files.ts";
import type { SimFile } from "./sim-content.ts";
import type { SimDisk } from "./sim-disk.ts";

const SLICE_BYTES = 64 * 1024;
const WORKING_FOLDER = "/home/ann";

/**
 * The user's files on one simulated machine, the same ones that its engine reads and writes. There
 * are no links and no other users; a folder exists as soon as something is created in it.
 */
export class SimUserFiles implements UserFiles {
  readonly #disk: SimDisk;
  readonly #folders = new Set([WORKING_FOLDER]);
  /** The system's code with which every write of a whole file is refused. */
  refuseWrites: string | undefined;

  constructor(disk: SimDisk) {
    this.#disk = disk;
  }

  absolute(path: string): string {
    const names: string[] = [];
    for (const name of (path.startsWith("/") ? path : `${WORKING_FOLDER}/${path}`).split("/")) {
      if (name === "..") names.pop();
      else if (name !== "" && name !== ".") names.push(name);
    }
    return `/${names.join("/")}`;
  }

  real(path: string): string {
    const place = this.absolute(path);
    if (!this.look(place)) throw refusal("ENOENT", place);
    return place;
  }

  look(path: string): PathFacts | undefined {
    const place = this.absolute(path);
    if (this.#disk.broken) throw refusal("EIO", place);
    const file = this.#disk.find(place);
    if (file) return factsOf(file);
    const isFolder =
      place === "/" ||
      [...this.#folders, ...this.#disk.paths()].some((known) => isBelow(known, place)) ||
      this.#folders.has(place);
    return isFolder ? FOLDER : undefined;
  }

  lookAtEntry(path: string): PathFacts | undefined {
    return this.look(path);
  }

  exists(path: string): boolean {
    return !this.#disk.broken && this.look(path) !== undefined;
  }

  tryToRead(path: string): void {
    if (!this.look(path)) throw refusal("ENOENT", path);
  }

  async tryToWriteIn(folder: string): Promise<void> {
    if (this.look(folder)?.kind !== "folder") throw refusal("ENOENT", folder);
  }

  freeBytes(path: string): number {
    return this.#disk.room(this.absolute(path));
  }

  /** Supports `*` only. */
  matchesGlob(path: string, pattern: string): boolean {
    const parts = pattern.split("*").map((part) => RegExp.escape(part));
    return new RegExp(`^${parts.join("[^/]*")}$`).test(path);
  }

  async read(path: string, limits: Parameters<UserFiles["read"]>[1]): Promise<NamedContent> {
    const facts = this.look(path);
    if (!facts) throw refusal("ENOENT", path);
    const { kind, size } = facts;
    if (kind === "folder") return { kind, size: 0, openToOthers: false, bytes: undefined };
    const bytes = size > limits.fileBytesMax ? undefined : this.#bytes(path)?.slice();
    return { kind: "file", size, openToOthers: false, bytes };
  }

  async list(path: string): Promise<FileListing> {
    const place = this.absolute(path);
    const facts = this.look(place);
    if (!facts) throw refusal("ENOENT", place);
    const folder = facts.kind === "folder";
    const root = folder ? place : folderOf(place);
    const paths = folder ? this.#disk.paths().filter((known) => isBelow(known, place)) : [place];
    const files = paths.toSorted().map((known): ListedFile => {
      const { size: length, mtimeMs } = this.#disk.find(known)!;
      return { path: known.slice(root.length + 1).split("/"), length, mtimeMs, executable: false };
    });
    return { name: nameOf(place), folder, root, files, skipped: [] };
  }

  async write(path: string, bytes: Uint8Array): Promise<void> {
    const place = this.absolute(path);
    if (this.refuseWrites !== undefined) throw refusal(this.refuseWrites, place);
    this.#disk.put(place, bytes.slice());
  }

  rename(from: string, to: string): void {
    this.#disk.rename(this.absolute(from), this.absolute(to));
  }

  async makeFolders(path: string): Promise<void> {
    this.#folders.add(this.absolute(path));
  }

  async removeLeftovers(): Promise<void> {
    // Nothing is ever killed here.
  }

  async createSecret(path: string): Promise<SecretPlace> {
    if (this.exists(path)) throw refusal("EEXIST", path);
    return {
      write: (text) => this.write(path, new TextEncoder().encode(text)),
      close: async () => undefined,
    };
  }

  below(root = "/"): FolderFiles {
    return {
      duplicate: (from, to, options) => this.#duplicate(root, { from, to }, options),
      read: async (path) => this.#bytes(path)?.slice(),
      write: (path, bytes) => this.write(path, bytes),
      remove: async (path) => this.#disk.remove(this.absolute(path)),
      list: async (path) => {
        const { files } = await this.list(path);
        return [...new Set(files.map(({ path: [name] }) => name!))];
      },
      move: async (from, to) => this.rename(from, to),
      copy: async (from, to) => this.#disk.put(this.absolute(to), this.#bytes(from)!.slice()),
      replaceByLink: (path) => Promise.reject(refusal("EPERM", path)),
      makeFolder: (path) => this.makeFolders(path),
      stat: async (path) => {
        const facts = this.look(path);
        return facts && { ...facts, folder: facts.kind === "folder" };
      },
      openRead: async (path) => {
        const file = this.#disk.find(this.absolute(path));
        return (
          file && {
            size: file.size,
            mtimeMs: file.mtimeMs,
            read: async (into, position) => {
              const part = file.bytes.subarray(
                position,
                Math.min(position + into.length, file.size),
              );
              into.set(part);
              return part.length;
            },
            close: async () => undefined,
          }
        );
      },
      close: () => undefined,
    };
  }

  /** Slices take the disk's time. */
  async #duplicate(
    root: string,
    { from, to }: { readonly from: string; readonly to: string },
    { length, mayLink, partial, signal, onBytes }: DuplicateOptions,
  ): Promise<Duplication> {
    const source = this.#disk.find(from);
    if (source?.size !== length) throw refusal("ESTALE", from);
    if (this.#disk.find(to)) throw refusal("EEXIST", to);
    if (this.#disk.sharesBlocks) {
      this.#disk.put(to, source.bytes.slice(0, length));
      return "shared";
    }
    if (mayLink) {
      this.#disk.link(from, to);
      return "linked";
    }
    const { mtimeMs } = source;
    try {
      for (let at = 0; at < length; at += SLICE_BYTES) {
        const bytes = source.bytes.slice(at, Math.min(at + SLICE_BYTES, length));
        await new Promise<void>((done) => this.#disk.work(bytes.length, done));
        signal.throwIfAborted();
        const failed = this.#disk.write(root, partial, { offset: at, bytes, length });
        if (failed) throw refusal(failed.code, to);
        onBytes(bytes.length);
      }
      if (this.#disk.find(from)?.mtimeMs !== mtimeMs) throw refusal("ESTALE", from);
      this.#disk.rename(partial, to);
      return "copied";
    } finally {
      this.#disk.remove(partial);
    }
  }

  #bytes(path: string): Uint8Array | undefined {
    const file = this.#disk.find(this.absolute(path));
    return file?.bytes.subarray(0, file.size);
  }
}

const FOLDER: PathFacts = {
  kind: "folder",
  size: 0,
  occupiedBytes: 0,
  mtimeMs: 0,
  ctimeMs: 0,
  inode: 0,
  own: true,
};

function factsOf({ size, blocks, mtimeMs, inode }: SimFile): PathFacts {
  // Files stored whole take no space of the simulated disk, but they exist.
  const occupiedBytes = blocks.size > 0 ? blocks.size * BLOCK_BYTES : size;
  return { kind: "file", size, occupiedBytes, mtimeMs, ctimeMs: mtimeMs, inode, own: true };
}

function isBelow(path: string, folder: string): boolean {
  return path.startsWith(folder.endsWith("/") ? folder : `${folder}/`);
}

function refusal(code: string, path: string): Error {
  invariant(code !== "", "the system gives every refusal a code");
  return Object.assign(new Error(`${code}: ${path}`), { code, path });
}
