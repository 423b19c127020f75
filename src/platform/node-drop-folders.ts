import { constants, type FSWatcher, watch } from "node:fs";
import { lstat, open, opendir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { systemCode } from "../base/system-code.ts";
import type { DropFolder, DroppedFile, DropFolders } from "../ports/drop-folder.ts";

/** Names that are tried for a file that is set aside. */
const NAMES_MAX = 1_000;

/** Folders of this machine, watched by the system where it can. */
export class NodeDropFolders implements DropFolders {
  open(folder: string, onChange: () => void): DropFolder {
    return new NodeDropFolder(folder, onChange);
  }
}

class NodeDropFolder implements DropFolder {
  readonly #folder: string;
  readonly #onChange: () => void;
  #watcher: FSWatcher | undefined;
  /** Which folder is watched: another one may have taken its place. */
  #watched = "";

  constructor(folder: string, onChange: () => void) {
    this.#folder = folder;
    this.#onChange = onChange;
  }

  async list(takes: (name: string) => boolean, filesMax: number): Promise<readonly DroppedFile[]> {
    const { dev, ino } = await stat(this.#folder);
    this.#watch(`${dev}:${ino}`);
    const found: DroppedFile[] = [];
    for await (const entry of await opendir(this.#folder)) {
      const { name } = entry;
      if (!takes(name) || entry.isDirectory() || entry.isSymbolicLink()) continue;
      const facts = await this.#look(name);
      if (!facts?.isFile()) continue;
      found.push({ name, size: facts.size, mtimeMs: facts.mtimeMs });
      // Leaving the loop closes the folder.
      if (found.length === filesMax) break;
    }
    return found;
  }

  async read(name: string, bytesMax: number): Promise<Uint8Array | undefined> {
    // A pipe must not hold us, and a link that took the file's place must not lead us away.
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
    await using file = await open(join(this.#folder, name), flags);
    const facts = await file.stat();
    if (!facts.isFile() || facts.size > bytesMax) return undefined;
    return new Uint8Array(await file.readFile());
  }

  async setAside(name: string, ending: string): Promise<void> {
    for (let number = 1; number <= NAMES_MAX; number += 1) {
      const other = `${name}.${ending}${number === 1 ? "" : `-${number}`}`;
      if (await this.#look(other)) continue;
      await rename(join(this.#folder, name), join(this.#folder, other));
      return;
    }
    throw Object.assign(new Error(`no name is free for ${name}`), { code: "EEXIST" });
  }

  async remove(name: string): Promise<void> {
    await rm(join(this.#folder, name));
  }

  close(): void {
    this.#watcher?.close();
    this.#watcher = undefined;
    this.#watched = "";
  }

  async #look(name: string) {
    try {
      return await lstat(join(this.#folder, name));
    } catch (error) {
      if (systemCode(error) === "ENOENT") return undefined;
      throw error;
    }
  }

  #watch(identity: string): void {
    if (this.#watched === identity) return;
    this.close();
    try {
      this.#watcher = watch(this.#folder, { persistent: false }, () => this.#onChange());
      // Without the system's help (no room for more watches, a network disk) the next look finds what is new.
      this.#watcher.on("error", () => this.close());
      this.#watched = identity;
    } catch {
      this.close();
    }
  }
}
