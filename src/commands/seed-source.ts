import { folderOf, joinPath, nameOf } from "../base/paths.ts";
import type { Metainfo } from "../metainfo/metainfo.ts";
import type { SourcePorts } from "./command-ports.ts";
import {
  createTorrent,
  type CreatedTorrent,
  type CreatePorts,
  type PlannedTorrent,
} from "./create-torrent.ts";
import { CommandError } from "./command-error.ts";
import type { UserFiles } from "../ports/user-files.ts";
import { checkTorrent } from "./check-torrent.ts";
import { type InputTree, listInput } from "./input-files.ts";
import { factsOf } from "./path-facts.ts";
import { magnetOf } from "./show-torrent.ts";
import { readTorrentFile } from "./torrent-source.ts";

/** Something to seed, as a user names it. */
export interface SeedSource {
  readonly metainfo: Metainfo;
  /** The folder that holds its files, or their own folder. */
  readonly folder: string;
}

export type SeedSourcePorts = SourcePorts & CreatePorts;

export interface SeedSourceOptions {
  /** Where the files of torrents are. */
  readonly folder: string;
  /** Announce URLs for torrents created here. */
  readonly trackers: readonly string[];
  /** URLs of the files on the web, for torrents created here. */
  readonly webSeeds: readonly string[];
  readonly onPlan: (plan: PlannedTorrent) => void;
  readonly onProgress: (bytesDone: number) => void;
  /** A torrent was created, and written to the file of its name. */
  readonly onMade: (made: CreatedTorrent) => void;
  /** The file of its name already held a torrent of this content. @param magnet - Its link. */
  readonly onKnown: (file: string, magnet: string) => void;
  readonly signal: AbortSignal;
}

/**
 * Accepts a .torrent file or the URL of a torrent as it is. For a folder or any other file it
 * creates a torrent in the working directory, as `NAME.torrent`; it reuses an existing one if that
 * has the same content.
 *
 * @throws {CommandError} As `readTorrentFile` and `createTorrent`; `exists` when the existing
 * torrent has other content.
 */
export async function readSeedSource(
  ports: SeedSourcePorts,
  source: string,
  options: SeedSourceOptions,
): Promise<SeedSource> {
  const { files } = ports;
  const kind = factsOf(files, source)?.kind;
  const isContent = kind === "folder" || (kind === "file" && !isTorrentName(source));
  if (!isContent) {
    const { metainfo } = await readTorrentFile(ports, source, options.signal);
    return { metainfo, folder: options.folder };
  }
  const file = await torrentOf(ports, source, options);
  const { metainfo } = await readTorrentFile(ports, file, options.signal);
  return { metainfo, folder: folderOf(files.absolute(source)) };
}

async function torrentOf(
  ports: SeedSourcePorts,
  path: string,
  options: SeedSourceOptions,
): Promise<string> {
  try {
    const made = await createTorrent(ports, {
      path,
      overwrite: false,
      kind: "v1",
      pieceLength: "auto",
      trackers: options.trackers.map((url) => [url]),
      webSeeds: options.webSeeds,
      dated: true,
      onEvent: (event) => {
        if (event.kind === "planned") options.onPlan(event.plan);
        else options.onProgress(event.bytesDone);
      },
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
    const known = await refuseOtherContent(ports, { file: error.subject, path }, options);
    options.onKnown(error.subject, magnetOf(known));
    return error.subject;
  }
}

/**
 * Compares an existing torrent with the named content. Names and lengths usually suffice; the bytes
 * are read only if a file was modified after the torrent was created.
 *
 * @returns The torrent.
 */
async function refuseOtherContent(
  ports: SeedSourcePorts,
  { file, path }: { readonly file: string; readonly path: string },
  options: SeedSourceOptions,
): Promise<Metainfo> {
  const disk = ports.files;
  const { metainfo } = await readTorrentFile(ports, file, options.signal);
  const tree = await listInput(disk, path, { signal: options.signal, output: file });
  const difference = differenceOf(metainfo, tree, { path, name: nameOf(disk.absolute(path)) });
  if (difference !== undefined) throw otherContent(file, path, difference);
  const madeMs = factsOf(disk, file)?.mtimeMs ?? 0;
  if (lastWriteMs(disk, tree) < madeMs) return metainfo;
  const { geometry, files } = metainfo.info;
  options.onPlan({
    name: metainfo.info.name,
    files: files.length,
    bytes: geometry.dataLength,
    pieceSize: geometry.pieceLength,
    skipped: [],
  });
  const { bad, pieces } = await checkTorrent(ports, {
    source: file,
    folder: folderOf(disk.absolute(path)),
    onEvent: (event) => {
      if (event.kind === "checked") options.onProgress(event.bytesDone);
    },
    signal: options.signal,
  });
  if (bad > 0) throw otherContent(file, path, `${bad} of ${pieces} pieces have other bytes`);
  return metainfo;
}

/**
 * @returns The first difference in words: a file that only one of them has, or that has another
 * length.
 */
function differenceOf(
  { info }: Metainfo,
  tree: InputTree,
  { path, name }: { readonly path: string; readonly name: string },
): string | undefined {
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

/** Both times: a copy may have kept the date of its original. */
function lastWriteMs(disk: UserFiles, { root, files }: InputTree): number {
  let last = 0;
  for (const { path } of files) {
    const facts = factsOf(disk, joinPath(root, ...path));
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
