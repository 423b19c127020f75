import { encodeUtf8 } from "./bytes.ts";

/**
 * How unfinished files are named on disk, so that nobody mistakes them for finished ones: `film.mkv.part`, as
 * browsers do.
 */

const SUFFIX = ".part";
/** Bytes of a file name; every file system of today allows this many. */
const NAME_BYTES_MAX = 255;
const ENDING = /\.part([0-9]{0,15})$/i;

/**
 * The suffix of a torrent's unfinished files. It depends on the file names alone: `.part`, or `.part2` and so on when
 * names in the torrent already end in it.
 *
 * @param paths - Of all its files, components joined by "/".
 */
export function unfinishedSuffix(paths: Iterable<string>): string {
  const used = new Set<string>();
  for (const path of paths) {
    // Most paths do not contain it at all, and there may be a million.
    if (!/\.part/i.test(path)) continue;
    for (const name of path.split("/")) {
      const number = ENDING.exec(name)?.[1];
      if (number !== undefined) used.add(number);
    }
  }
  if (!used.has("")) return SUFFIX;
  for (let number = 2; ; number += 1) {
    if (!used.has(String(number))) return `${SUFFIX}${number}`;
  }
}

/** @returns The name with its suffix; `undefined` when the name leaves no room for it. */
export function unfinishedPath(path: string, suffix: string): string | undefined {
  const name = path.slice(path.lastIndexOf("/") + 1);
  // A UTF-16 unit takes three bytes of UTF-8 at most.
  const fits =
    name.length * 3 + suffix.length <= NAME_BYTES_MAX ||
    encodeUtf8(name).length + suffix.length <= NAME_BYTES_MAX;
  return fits ? `${path}${suffix}` : undefined;
}
