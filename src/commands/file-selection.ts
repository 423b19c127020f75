import { fitsPattern } from "../base/file-pattern.ts";
import type { MagnetLink, TorrentInfo } from "../metainfo/metainfo.ts";
import type { UserFiles } from "../ports/user-files.ts";

/**
 * Selects the files of a torrent that a user wants: see `fitsPattern`.
 *
 * @param patterns - Globs; a file is wanted when any of them matches.
 * @returns One for each of `info.files`.
 */
export function selectByGlobs(
  disk: UserFiles,
  info: TorrentInfo,
  patterns: readonly string[],
): boolean[] {
  return info.files.map((file) => {
    if (file.pad) return false;
    const path = file.path.join("/");
    return patterns.some((pattern) =>
      fitsPattern(path, pattern, (text, glob) => disk.matchesGlob(text, glob)),
    );
  });
}

/** The files a magnet link asks for (BEP 53): indexes count all files, padding included. */
export function selectByRanges(
  info: TorrentInfo,
  ranges: NonNullable<MagnetLink["selectOnly"]>,
): boolean[] {
  return info.files.map(
    (file, index) => !file.pad && ranges.some(([first, last]) => index >= first && index <= last),
  );
}
