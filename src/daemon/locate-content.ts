import { lstatSync, type Stats } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import type { TorrentInfo } from "../metainfo/metainfo.ts";
import { safeJoin } from "../base/safe-join.ts";
import { diskTrouble, systemCode } from "./daemon-error.ts";

/** Content that is on disk already. */
export interface LocatedContent {
  /** Absolute; the paths of files are below it. */
  readonly root: string;
  /** The torrent; `path` of each file is where it was found, or its own where it was not. */
  readonly info: TorrentInfo;
}

/**
 * Finds a torrent's files, as `--data DIR` and `check TORRENT DIR` name them: DIR holds the torrent's
 * folder or file; or DIR is the torrent's folder itself. Other programs store files under the names that the
 * torrent gives, ours under names that every system takes (MET-3): both are found.
 *
 * @throws {DaemonError} `not-found`, `not-readable` when DIR cannot be looked at.
 */
export function locateContent(info: TorrentInfo, folder: string): LocatedContent {
  const root = resolve(folder);
  if (!factsOf(root)) throw diskTrouble({ code: "ENOENT" }, `read ${folder}`, folder);
  const written = info.files.find((file) => file.pathAsWritten)?.pathAsWritten?.[0];
  const names = [info.name, ...(written === undefined ? [] : [written])];
  const holdsIt = names.some((name) => factsOf(safeJoin(root, [name])) !== undefined);
  const isIt = !holdsIt && info.folder && names.includes(basename(root));
  const above = isIt ? dirname(root) : root;
  return { root: above, info: withPathsFound(info, above) };
}

/** @returns `undefined` when there is nothing. Links are not followed. */
export function factsOf(path: string): Stats | undefined {
  try {
    return lstatSync(path);
  } catch (error) {
    const code = systemCode(error);
    if (code === "ENOENT" || code === "ENOTDIR" || code === "ENAMETOOLONG") return undefined;
    throw diskTrouble(error, `read ${path}`, path);
  }
}

function withPathsFound(info: TorrentInfo, root: string): TorrentInfo {
  if (!info.files.some((file) => file.pathAsWritten)) return info;
  const own = new Set(info.files.map((file) => file.path.join("/")));
  const disk = new PlainPaths(root);
  const files = info.files.map((file) => {
    const { path, pathAsWritten } = file;
    if (!pathAsWritten || !disk.hasFile(pathAsWritten)) return file;
    // Two names may be cleaned to one, and then what one has as written is where the other was stored.
    const isOthers = own.has(pathAsWritten.join("/"));
    return isOthers && disk.hasFile(path) ? file : { ...file, path: pathAsWritten };
  });
  return { ...info, files };
}

/** Looks for files below a root without passing a link (MET-2). */
class PlainPaths {
  readonly #root: string;
  readonly #folders = new Map<string, boolean>();

  constructor(root: string) {
    this.#root = root;
  }

  hasFile(path: readonly string[]): boolean {
    return this.#hasFolder(path.slice(0, -1)) && factsOf(this.#at(path))?.isFile() === true;
  }

  #hasFolder(path: readonly string[]): boolean {
    if (path.length === 0) return true;
    const key = path.join("/");
    const known = this.#folders.get(key);
    if (known !== undefined) return known;
    const found =
      this.#hasFolder(path.slice(0, -1)) && factsOf(this.#at(path))?.isDirectory() === true;
    this.#folders.set(key, found);
    return found;
  }

  #at(path: readonly string[]): string {
    return safeJoin(this.#root, path);
  }
}
