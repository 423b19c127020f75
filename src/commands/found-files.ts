import { safeJoin } from "../base/safe-join.ts";
import type { TorrentFile, TorrentInfo } from "../metainfo/metainfo.ts";
import type { UserFiles } from "../ports/user-files.ts";
import { CommandError, diskTrouble } from "./command-error.ts";
import { entryFactsOf, factsOf } from "./path-facts.ts";
import { placeOnDisk } from "./unfinished-files.ts";

/** A file of a torrent as it is on disk, before any byte of it is compared. */
export interface FoundFile {
  /** Index in the torrent's files. */
  readonly index: number;
  /** Absolute, with its final name. */
  readonly path: string;
  /**
   * `unfinished`: an unfinished download, under its unfinished name. `other`: an entry that is not
   * a file, or is longer or shorter than the torrent says, and so is not the torrent's file.
   */
  readonly state: "fits" | "missing" | "unfinished" | "other";
  /** Bytes; `undefined` for an entry that is not a file. */
  readonly size: number | undefined;
}

/** Where the files of a torrent are. */
export interface ContentPlace {
  /** Absolute. */
  readonly root: string;
  /** The suffix of unfinished files. */
  readonly suffix: string;
}

/**
 * Examines the files of a torrent, padding left out, through links. `check` and `seed` both use its
 * verdicts, in the same words (`wordsOf`).
 *
 * @throws {CommandError} `not-readable`, `disk-error` for the first file that cannot be read.
 */
export function findFiles(
  files: UserFiles,
  info: TorrentInfo,
  { root, suffix }: ContentPlace,
): FoundFile[] {
  const found: FoundFile[] = [];
  for (const [index, file] of info.files.entries()) {
    if (file.pad) continue;
    const path = safeJoin(root, file.path);
    found.push(
      file.linkTarget
        ? { index, path, ...findLink(files, path) }
        : { index, path, ...findFile(files, file, { root, suffix }) },
    );
  }
  return found;
}

type Finding = Pick<FoundFile, "state" | "size">;

function findFile(files: UserFiles, file: TorrentFile, { root, suffix }: ContentPlace): Finding {
  const place = placeOnDisk(files, safeJoin(root, file.path), suffix);
  const facts = factsOf(files, place.path);
  if (!facts) return { state: "missing", size: undefined };
  if (facts.kind !== "file") return { state: "other", size: undefined };
  refuseUnreadable(files, place.path);
  const fits = facts.size === file.length ? "fits" : "other";
  return { state: place.unfinished ? "unfinished" : fits, size: facts.size };
}

/** A link in the torrent itself has no bytes, so nothing is read through it. */
function findLink(files: UserFiles, path: string): Finding {
  const isThere = entryFactsOf(files, path) !== undefined;
  return isThere ? { state: "fits", size: 0 } : { state: "missing", size: undefined };
}

/** Report an unreadable file now, not in the middle of the work or when a peer requests it. */
function refuseUnreadable(files: UserFiles, path: string): void {
  try {
    files.tryToRead(path);
  } catch (error) {
    throw diskTrouble(error, `read ${path}`, path);
  }
}

/**
 * @returns What is wrong with a file and what to do; `undefined` when it may be the torrent's file.
 */
export function troubleWith(
  found: FoundFile,
  { length }: Pick<TorrentFile, "length">,
): CommandError | undefined {
  const { path, size, state } = found;
  const subject = path;
  switch (state) {
    case "fits":
      return undefined;
    case "missing":
      return new CommandError("not-found", `${path} is missing. Only whole torrents are seeded.`, {
        subject,
        hint: "everseed get into the same folder fetches what is missing.",
      });
    case "unfinished":
      return new CommandError("not-found", `${path} is not finished. Its download has not ended.`, {
        subject,
        hint: "everseed get into the same folder continues it.",
      });
    case "other":
      return new CommandError("corrupt", `${path} ${whyOther(size, length)}`, {
        subject,
        hint: "everseed check tells which pieces are good; everseed get --adopt overwrites what differs.",
      });
  }
}

/** @returns Words that follow the path of a file. */
export function whyOther(size: number | undefined, length: number): string {
  const what = "is not the torrent's file.";
  if (size === undefined) return `${what} It is not a file at all.`;
  return `${what} It has ${size} bytes instead of ${length}.`;
}
