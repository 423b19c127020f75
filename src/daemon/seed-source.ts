import { dirname, resolve } from "node:path";
import type { Metainfo } from "../metainfo/metainfo.ts";
import { createTorrent, type CreatedTorrent, type PlannedTorrent } from "./create-torrent.ts";
import { DaemonError } from "./daemon-error.ts";
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
  readonly signal: AbortSignal;
}

/**
 * Takes a .torrent file or the URL of a torrent as it is. Of a folder or any other file a torrent is made, here, as
 * `NAME.torrent`; one that is there from an earlier time is taken instead, and its content judged when it is asked for.
 *
 * @throws {DaemonError} As `readTorrentFile` and `createTorrent`.
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
    if (error instanceof DaemonError && error.code === "exists" && error.subject !== undefined) {
      return error.subject;
    }
    throw error;
  }
}

function isTorrentName(path: string): boolean {
  return path.toLowerCase().endsWith(".torrent");
}
