import type { Stats } from "node:fs";
import { lstat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import type { TorrentInfo } from "../metainfo/metainfo.ts";
import { diskTrouble, systemCode } from "./daemon-error.ts";

/**
 * The folder below which a torrent's files lie, as `--data DIR` and `check TORRENT DIR` name it: DIR
 * holds the torrent's folder or file; or DIR is the torrent's folder itself.
 *
 * @returns Absolute.
 * @throws {DaemonError} `not-found`, `not-readable` when DIR cannot be looked at.
 */
export async function locateContent(info: TorrentInfo, folder: string): Promise<string> {
  const root = resolve(folder);
  if (!(await factsOf(root))) {
    throw diskTrouble({ code: "ENOENT" }, `read ${folder}`, folder);
  }
  const holdsIt = (await factsOf(join(root, info.name))) !== undefined;
  return !holdsIt && info.folder && basename(root) === info.name ? dirname(root) : root;
}

/** @returns `undefined` when there is nothing. Links are not followed. */
export async function factsOf(path: string): Promise<Stats | undefined> {
  try {
    return await lstat(path);
  } catch (error) {
    const code = systemCode(error);
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw diskTrouble(error, `read ${path}`, path);
  }
}
