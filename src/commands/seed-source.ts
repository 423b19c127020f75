import { basename, dirname, join, resolve } from "node:path";
import type { Metainfo } from "../metainfo/metainfo.ts";
import { createTorrent, type CreatedTorrent, type PlannedTorrent } from "./create-torrent.ts";
import { CommandError } from "./command-error.ts";
import { checkTorrent } from "./check-torrent.ts";
import { type InputTree, listInput } from "./input-files.ts";
import { factsOf } from "./path-facts.ts";
import { readTorrentFile } from "./torrent-source.ts";

/** Something to seed, as a person names it. */
export interface SeedSource {
  readonly metainfo: Metainfo;
  /** The folder its files lie in, or are. */
  readonly folder: string;
}

export interface SeedSourceOptions {
  /** Where the files of torrents lie. */
  readonly folder: string;
  /** Announce URLs for torrents that are made. */
  readonly trackers: readonly string[];
  readonly onPlan: (plan: PlannedTorrent) => void;
  readonly onProgress: (bytesDone: number) => void;
  /** A torrent was made, and written to the file of its name. */
  readonly onMade: (made: CreatedTorrent) => void;
  /** A torrent of this content was there, in the file of its name. */
  readonly onKnown: (file: string) => void;
  readonly signal: AbortSignal;
}

/**
 * Takes a .torrent file or the URL of a torrent as it is. Of a folder or any other file a torrent is made, here, as
 * `NAME.torrent`; one that is there from an earlier time is taken instead when it is of this content.
 *
 * @throws {CommandError} As `readTorrentFile` and `createTorrent`; `exists` when the torrent that is there is of other content.
 */
export async function readSeedSource(
  source: string,
  options: SeedSourceOptions,
): Promise<SeedSource> {
  const facts = factsOf(resolve(source));
  const isContent =
    facts?.isDirectory() === true || (facts?.isFile() === true && !isTorrentName(source));
  if (!isContent) {
    return {
      metainfo: (await readTorrentFile(source, options.signal)).metainfo,
      folder: options.folder,
    };
  }
  const file = await torrentOf(source, options);
  const { metainfo } = await readTorrentFile(file, options.signal);
  return { metainfo, folder: dirname(resolve(source)) };
}

async function torrentOf(path: string, options: SeedSourceOptions): Promise<string> {
  try {
    const made = await createTorrent({
      path,
      overwrite: false,
      kind: "v1",
      pieceLength: "auto",
      trackers: options.trackers.map((url) => [url]),
      dated: true,
      onPlan: options.onPlan,
      onProgress: options.onProgress,
      signal: options.signal,
    });
    options.onMade(made);
    return made.file;
  } catch (error) {
    if (
      !(error instanceof CommandError) ||
      error.code !== "exists" ||
      error.subject === undefined
    ) {
      throw error;
    }
    await refuseOtherContent(error.subject, path, options);
    options.onKnown(error.subject);
    return error.subject;
  }
}

/**
 * Compares a torrent that is there with the content that was named. Names and lengths tell most; the bytes are read only
 * when somebody has written to a file since the torrent was made.
 */
async function refuseOtherContent(
  file: string,
  path: string,
  options: SeedSourceOptions,
): Promise<void> {
  const { metainfo } = await readTorrentFile(file, options.signal);
  const tree = await listInput(path, { signal: options.signal, output: file });
  const difference = differenceOf(metainfo, tree, path);
  if (difference !== undefined) throw otherContent(file, path, difference);
  const madeMs = factsOf(resolve(file))?.mtimeMs ?? 0;
  if (lastWriteMs(tree) < madeMs) return;
  const { geometry, files } = metainfo.info;
  options.onPlan({
    name: metainfo.info.name,
    files: files.length,
    bytes: geometry.dataLength,
    pieceSize: geometry.pieceLength,
    skipped: [],
  });
  const { bad, pieces } = await checkTorrent({
    source: file,
    folder: dirname(resolve(path)),
    onStart: () => undefined,
    onProgress: options.onProgress,
    signal: options.signal,
  });
  if (bad > 0) throw otherContent(file, path, `${bad} of ${pieces} pieces have other bytes`);
}

/** @returns The first file that one of them has and the other has not, or has in another length, in words. */
function differenceOf({ info }: Metainfo, tree: InputTree, path: string): string | undefined {
  if (info.folder !== tree.folder) {
    return info.folder
      ? `${path} is a file, and a folder there`
      : `${path} is a folder, and a file there`;
  }
  const theirs = new Map<string, number>();
  for (const { pad, linkTarget, length, path: safe, pathAsWritten } of info.files) {
    if (pad || linkTarget) continue;
    theirs.set((pathAsWritten ?? safe).join("/"), length);
  }
  const name = basename(resolve(path));
  for (const { path: below, length } of tree.files) {
    const shown = tree.folder ? [name, ...below].join("/") : name;
    const known = theirs.get(shown);
    theirs.delete(shown);
    if (known === undefined) return `${shown} is not in it`;
    if (known !== length) return `${shown} has ${length} bytes, and ${known} there`;
  }
  const [missing] = theirs.keys();
  return missing === undefined ? undefined : `${missing} is in it, and not here`;
}

/** Both times: a copy may have the date of what it was copied from. */
function lastWriteMs({ root, files }: InputTree): number {
  let last = 0;
  for (const { path } of files) {
    const facts = factsOf(join(root, ...path));
    last = Math.max(last, facts?.mtimeMs ?? 0, facts?.ctimeMs ?? 0);
  }
  return last;
}

function otherContent(file: string, path: string, difference: string): CommandError {
  const what = `The content of ${path} is not that of ${file}: ${difference}.`;
  return new CommandError("exists", what, {
    subject: file,
    hint: `everseed create ${path} --force makes that file anew; or move it away first, if it is somebody else's.`,
  });
}

function isTorrentName(path: string): boolean {
  return path.toLowerCase().endsWith(".torrent");
}
