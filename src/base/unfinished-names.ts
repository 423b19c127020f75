import { encodeUtf8 } from "./bytes.ts";

/**
 * How files are named on disk while they are not whole, so that nobody takes them for the files they are going to
 * be: `film.mkv.part`, as browsers do.
 */

const SUFFIX = ".part";
/** Of a file name, on every file system of today. */
const NAME_BYTES_MAX = 255;
const ENDING = /\.part([0-9]{0,15})$/i;

/**
 * What the unfinished files of one torrent end in. The same for the same files: `.part`, or `.part2` and so on where
 * names of the torrent itself end in that.
 *
 * @param paths - Of all its files, components joined by "/".
 */
export function unfinishedSuffix(paths: Iterable<string>): string {
  const used = new Set<string>();
  for (const path of paths) {
    // Most paths have no such ending anywhere, and there may be a million.
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

/** @returns The name with its suffix; `undefined` for one that leaves no room for it. */
export function unfinishedPath(path: string, suffix: string): string | undefined {
  const name = path.slice(path.lastIndexOf("/") + 1);
  // A UTF-16 unit takes three bytes of UTF-8 at most.
  const fits =
    name.length * 3 + suffix.length <= NAME_BYTES_MAX ||
    encodeUtf8(name).length + suffix.length <= NAME_BYTES_MAX;
  return fits ? `${path}${suffix}` : undefined;
}
