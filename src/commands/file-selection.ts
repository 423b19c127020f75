import type { MagnetLink, TorrentInfo } from "../metainfo/metainfo.ts";
import type { UserFiles } from "../ports/user-files.ts";

/**
 * Selects the files of a torrent that a user wants.
 *
 * A pattern without a slash is compared with file names, one with a slash with whole paths, with or
 * without the torrent's own folder in front.
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
    const whole = file.path.join("/");
    const inner = file.path.slice(info.folder ? 1 : 0).join("/");
    const name = file.path.at(-1)!;
    return patterns.some((pattern) =>
      pattern.includes("/")
        ? disk.matchesGlob(whole, pattern) || disk.matchesGlob(inner, pattern)
        : disk.matchesGlob(name, pattern),
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
