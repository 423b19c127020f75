import type { Stats } from "node:fs";
import { access, constants, lstat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import {
  type BuildOptions,
  type BuiltTorrent,
  buildMetainfo,
  type PlanMeasure,
  planTorrent,
  type TorrentPlan,
} from "../metainfo/create.ts";
import { MetainfoError } from "../metainfo/metainfo-error.ts";
import type { TorrentFile, TorrentKind } from "../metainfo/metainfo.ts";
import { parseMetainfo } from "../metainfo/parse-metainfo.ts";
import { isTrackerUrl, isWebSeedUrl } from "../metainfo/urls.ts";
import { MeasureError, NodeDisk } from "../platform/node-disk.ts";
import { systemCode } from "../base/system-code.ts";
import { CommandError, diskTrouble, folderMissing } from "./command-error.ts";
import { hashingThreads } from "../platform/hashing-threads.ts";
import { fileChanged, type InputTree, listInput, type SkippedInput } from "./input-files.ts";
import { hexInfohashes, magnetOf } from "./show-torrent.ts";
import { writeOutput } from "./write-output.ts";

export interface CreateOptions extends Pick<
  BuildOptions,
  "trackers" | "webSeeds" | "private" | "comment" | "source"
> {
  /** A file or a folder. */
  readonly path: string;
  /** The .torrent file to write; `NAME.torrent` here when absent. */
  readonly file?: string | undefined;
  /** False refuses when `file` is there. */
  readonly overwrite: boolean;
  readonly kind: TorrentKind;
  /** Bytes. */
  readonly pieceLength: number | "auto";
  /** In the torrent, when it is not that of the file or folder. */
  readonly name?: string | undefined;
  /** Puts the present time into the file. The infohash does not cover it. */
  readonly dated: boolean;
  /** Called once, before the first byte is read. */
  readonly onPlan: (plan: PlannedTorrent) => void;
  readonly onProgress: (bytesDone: number) => void;
  readonly signal: AbortSignal;
}

/** What is going to be made. */
export interface PlannedTorrent {
  readonly name: string;
  readonly files: number;
  readonly bytes: number;
  readonly pieceSize: number;
  /** What is not in it. */
  readonly skipped: readonly SkippedInput[];
}

/** What was made, in JSON's types. */
export interface CreatedTorrent {
  readonly file: string;
  readonly infohashV1: string | null;
  readonly infohashV2: string | null;
  /** Bytes. */
  readonly pieceSize: number;
  readonly pieces: number;
  /** Of all files, padding not counted. */
  readonly bytes: number;
  readonly magnet: string;
  /** What a person should know: names that others store differently. */
  readonly warnings: readonly string[];
}

/**
 * Makes a .torrent file. Reads the content once, whatever the kind.
 *
 * @throws {CommandError} `not-found`, `not-readable`, `exists`, `bad-plan`, `changed`, `not-writable`,
 *   `disk-full`. Or the signal's reason; then nothing was written.
 */
export async function createTorrent(options: CreateOptions): Promise<CreatedTorrent> {
  const { signal } = options;
  const file = options.file ?? outputName(options.name ?? basename(resolve(options.path)));
  const tree = await listInput(options.path, { signal, output: file });
  const name = options.name ?? tree.name;
  await refuseOutput(file, name, options.overwrite);
  refuseUrls(options);
  const plan = planInput(tree, options, name);
  const { pieceLength, pieceCount, dataLength } = plan.geometry;
  const { files, skipped } = tree;
  options.onPlan({
    name,
    files: files.length,
    bytes: dataLength,
    pieceSize: pieceLength,
    skipped,
  });
  const measured = await measure(plan, tree, options);
  const built = build(plan, measured, options);
  signal.throwIfAborted();
  await writeOutput(file, built.torrent);
  // Our own file: as large as it had to be.
  const metainfo = parseMetainfo(built.torrent, { bytesMax: built.torrent.length });
  return {
    file,
    ...hexInfohashes(built.infohashes),
    pieceSize: pieceLength,
    pieces: pieceCount,
    bytes: dataLength,
    magnet: magnetOf(metainfo),
    warnings: storedDifferently(plan, metainfo.info.files),
  };
}

/** What disks take in one name. */
const NAME_BYTES_MAX = 255;

/** @returns `NAME.torrent`, of a name that is too long its first characters. */
function outputName(name: string): string {
  const end = ".torrent";
  let stem = name;
  while (Buffer.byteLength(stem) + end.length > NAME_BYTES_MAX) {
    stem = Array.from(stem).slice(0, -1).join("");
  }
  return `${stem}${end}`;
}

/** Said before the content is read, which may take hours. */
async function refuseOutput(file: string, name: string, overwrite: boolean): Promise<void> {
  const facts = file === "" ? undefined : await outputFacts(file);
  if (file === "" || file.endsWith("/") || facts?.isDirectory()) {
    const what = file === "" ? "The name of the torrent file is empty." : `${file} is a folder.`;
    throw new CommandError("bad-plan", `${what} A torrent is written to a file.`, {
      subject: file,
      hint: `-o ${join(file, `${name}.torrent`)}`,
    });
  }
  if (overwrite || !facts) return refuseFolder(file);
  throw new CommandError("exists", `${file} is there already. It is not overwritten.`, {
    subject: file,
    hint: "another name with -o, or --force to replace it.",
  });
}

/** The file is made under another name first, so its folder must take new files. */
async function refuseFolder(file: string): Promise<void> {
  try {
    await access(dirname(resolve(file)), constants.W_OK | constants.X_OK);
  } catch (error) {
    if (systemCode(error) === "ENOENT") throw folderMissing(file, dirname(file));
    throw diskTrouble(error, `write ${file}`, file);
  }
}

async function outputFacts(file: string): Promise<Stats | undefined> {
  try {
    return await lstat(file);
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    throw diskTrouble(error, `write ${file}`, file);
  }
}

/** Said before the content is read, which may take hours. */
function refuseUrls(options: CreateOptions): void {
  const wrongTracker = (options.trackers ?? []).flat().find((url) => !isTrackerUrl(url));
  const wrong = wrongTracker ?? (options.webSeeds ?? []).find((url) => !isWebSeedUrl(url));
  if (wrong === undefined) return;
  const kinds = wrongTracker === undefined ? "http or https" : "http, https, udp, ws or wss";
  throw new CommandError("bad-plan", `"${wrong}" is no URL that works here. It takes ${kinds}.`, {
    hint: `https://${wrongTracker === undefined ? "files.example/talks/" : "tracker.example/announce"}, for example.`,
  });
}

function planInput(tree: InputTree, options: CreateOptions, name: string): TorrentPlan {
  const files = tree.files.map(({ path, length, executable }) => ({
    length,
    executable,
    path: tree.folder ? path : [],
  }));
  try {
    return planTorrent({ name, files, kind: options.kind, pieceLength: options.pieceLength });
  } catch (error) {
    if (!(error instanceof MetainfoError)) throw error;
    throw new CommandError("bad-plan", `No torrent can be made of this: ${error.detail}.`, {
      subject: options.path,
      cause: error,
    });
  }
}

async function measure(
  plan: TorrentPlan,
  tree: InputTree,
  options: CreateOptions,
): Promise<PlanMeasure> {
  const files = plan.files.map(({ path, executable, input }) => ({
    // The only file of a torrent has no path of its own there, but one on disk.
    path: (input === undefined ? path : tree.files[input]!.path).join("/"),
    executable,
  }));
  const disk = new NodeDisk({
    workers: hashingThreads({ bytes: plan.geometry.dataLength, files: tree.files.length }),
  });
  try {
    return await disk.measure({
      layout: { root: tree.root, geometry: plan.geometry, files },
      v1: plan.kind !== "v2",
      v2: plan.kind !== "v1",
      onProgress: options.onProgress,
      signal: options.signal,
    });
  } catch (error) {
    if (!(error instanceof MeasureError)) throw error;
    if (error.code === "changed") throw fileChanged(error.path);
    throw diskTrouble(error, `read ${error.path}`, error.path);
  } finally {
    await disk.close();
  }
}

function build(plan: TorrentPlan, measured: PlanMeasure, options: CreateOptions): BuiltTorrent {
  const { trackers, webSeeds, comment, source } = options;
  return buildMetainfo(plan, measured, {
    trackers,
    webSeeds,
    comment,
    source,
    private: options.private,
    creationDate: options.dated ? Math.floor(Date.now() / 1000) : undefined,
  });
}

/** Names that every system takes are stored as they are; others change on their way, here as everywhere. */
function storedDifferently(plan: TorrentPlan, stored: readonly TorrentFile[]): string[] {
  const warnings: string[] = [];
  for (const [index, file] of plan.files.entries()) {
    const own = plan.folder ? [plan.name, ...file.path].join("/") : plan.name;
    const theirs = stored[index]?.path.join("/");
    if (file.pad || theirs === undefined || theirs === own) continue;
    warnings.push(`${own} is stored as ${theirs} by everseed get: not every system takes its name`);
  }
  return warnings;
}
