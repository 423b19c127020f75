/** Compares a path with a glob, as the system's shells do. */
export type MatchesGlob = (path: string, pattern: string) => boolean;

/**
 * Compares a file of a torrent with a pattern of a user. A pattern without a slash is compared with the file's name, one
 * with a slash with the whole path, with or without the torrent's own folder in front.
 *
 * @param path - Joined by "/".
 */
export function fitsPattern(path: string, pattern: string, matches: MatchesGlob): boolean {
  if (!pattern.includes("/")) return matches(path.slice(path.lastIndexOf("/") + 1), pattern);
  return matches(path, pattern) || matches(path.slice(path.indexOf("/") + 1), pattern);
}
