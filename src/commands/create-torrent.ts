import { encodeUtf8 } from "../base/bytes.ts";
import { folderOf, joinPath, nameOf } from "../base/paths.ts";
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
import type { Clock } from "../ports/clock.ts";
import type { PathFacts, UserFiles } from "../ports/user-files.ts";
import { systemCode } from "../base/system-code.ts";
import { CommandError, diskTrouble, folderMissing } from "./command-error.ts";
import type { CommandRun, DiskPorts } from "./command-ports.ts";
import { type InputTree, listInput, type SkippedInput } from "./input-files.ts";
import { hexInfohashes, magnetOf } from "./show-torrent.ts";
import { measureTrouble } from "./measure-trouble.ts";
import { writeOutput } from "./write-output.ts";

/** Ports of a command that creates a torrent. */
export interface CreatePorts extends DiskPorts {
  readonly clock: Clock;
  readonly files: UserFiles;
}

export type CreateEvent =
  /** Sent once, before the first byte is read. */
  | { readonly kind: "planned"; readonly plan: PlannedTorrent }
  /** Bytes read so far. */
  | { readonly kind: "hashed"; readonly bytesDone: number };

export interface CreateOptions
  extends
    CommandRun<CreateEvent>,
    Pick<BuildOptions, "trackers" | "webSeeds" | "nodes" | "private" | "comment" | "source"> {
  /** A file or a folder. */
  readonly path: string;
  /** The .torrent file to write; `NAME.torrent` in the working directory when absent. */
  readonly file?: string | undefined;
  /** False refuses when `file` exists. */
  readonly overwrite: boolean;
  readonly kind: TorrentKind;
  /** Bytes. */
  readonly pieceLength: number | "auto";
  /** The name in the torrent, when it is not that of the file or folder. */
  readonly name?: string | undefined;
  /** Writes the present time into the file. The infohash does not cover it. */
  readonly dated: boolean;
}

/** The torrent to be created. */
export interface PlannedTorrent {
  readonly name: string;
  readonly files: number;
  readonly bytes: number;
  readonly pieceSize: number;
  /** Entries that are left out. */
  readonly skipped: readonly SkippedInput[];
}

/** The torrent that was created, in JSON's types. */
export interface CreatedTorrent {
  readonly file: string;
  readonly infohashV1: string | null;
  readonly infohashV2: string | null;
  /** Bytes. */
  readonly pieceSize: number;
  readonly pieces: number;
  /** Bytes of all files, padding not counted. */
  readonly bytes: number;
  readonly magnet: string;
  /** What the user should know: names that others store differently. */
  readonly warnings: readonly string[];
}

/**
 * Creates a .torrent file. Reads the content once, whatever the kind.
 *
 * @throws {CommandError} `not-found`, `not-readable`, `exists`, `bad-plan`, `changed`,
 * `not-writable`, `disk-full`. Or the signal's reason; then nothing was written.
 */
export async function createTorrent(
  ports: CreatePorts,
  options: CreateOptions,
): Promise<CreatedTorrent> {
  const { signal } = options;
  const disk = ports.files;
  const file = options.file ?? outputName(options.name ?? nameOf(disk.absolute(options.path)));
  const tree = await listInput(disk, options.path, { signal, output: file });
  const name = options.name ?? tree.name;
  await refuseOutput(disk, file, { name, overwrite: options.overwrite });
  refuseUrls(options);
  const plan = planInput(tree, options, name);
  const { pieceLength, pieceCount, dataLength } = plan.geometry;
  const { files, skipped } = tree;
  options.onEvent({
    kind: "planned",
    plan: { name, files: files.length, bytes: dataLength, pieceSize: pieceLength, skipped },
  });
  const measured = await measure(ports, { plan, tree }, options);
  const built = build(plan, measured, { ...options, nowMs: ports.clock.wallMs() });
  signal.throwIfAborted();
  await writeOutput(disk, file, built.torrent);
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

/** The longest name that disks accept, in bytes. */
const NAME_BYTES_MAX = 255;

/** @returns `NAME.torrent`, with a name that is too long truncated. */
function outputName(name: string): string {
  const end = ".torrent";
  let stem = name;
  while (encodeUtf8(stem).length + end.length > NAME_BYTES_MAX) {
    stem = Array.from(stem).slice(0, -1).join("");
  }
  return `${stem}${end}`;
}

/** Checked before the content is read, which may take hours. */
async function refuseOutput(
  disk: UserFiles,
  file: string,
  { name, overwrite }: { readonly name: string; readonly overwrite: boolean },
): Promise<void> {
  const facts = file === "" ? undefined : outputFacts(disk, file);
  if (file === "" || file.endsWith("/") || facts?.kind === "folder") {
    const what = file === "" ? "The name of the torrent file is empty." : `${file} is a folder.`;
    throw new CommandError("bad-plan", `${what} A torrent is written to a file.`, {
      subject: file,
      hint: `-o ${joinPath(file, `${name}.torrent`)}`,
    });
  }
  if (overwrite || !facts) return refuseFolder(disk, file);
  throw new CommandError("exists", `${file} already exists. It is not overwritten.`, {
    subject: file,
    hint: "another name with -o, or --force to replace it.",
  });
}

/** The file is first written under another name, so its folder must accept new files. */
async function refuseFolder(disk: UserFiles, file: string): Promise<void> {
  try {
    refuseName(disk, disk.absolute(file));
    await disk.tryToWriteIn(folderOf(disk.absolute(file)));
  } catch (error) {
    if (systemCode(error) === "ENOENT") throw folderMissing(file, folderOf(file));
    throw diskTrouble(error, `write ${file}`, file);
  }
}

/** @throws An error that carries the system's `code`. */
function refuseName(disk: UserFiles, path: string): void {
  if (encodeUtf8(nameOf(path)).length > NAME_BYTES_MAX) throw refusal("ENAMETOOLONG", path);
  if (disk.look(folderOf(path))?.kind === "file") throw refusal("ENOTDIR", path);
}

function refusal(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${path}`), { code });
}

function outputFacts(disk: UserFiles, file: string): PathFacts | undefined {
  try {
    return disk.lookAtEntry(file);
  } catch (error) {
    throw diskTrouble(error, `write ${file}`, file);
  }
}

/** Checked before the content is read, which may take hours. */
function refuseUrls(options: CreateOptions): void {
  const wrongTracker = (options.trackers ?? []).flat().find((url) => !isTrackerUrl(url));
  const wrong = wrongTracker ?? (options.webSeeds ?? []).find((url) => !isWebSeedUrl(url));
  if (wrong === undefined) return;
  const kinds = wrongTracker === undefined ? "http or https" : "http, https, udp, ws or wss";
  throw new CommandError("bad-plan", `"${wrong}" is not a URL that works here. Use ${kinds}.`, {
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
    throw new CommandError("bad-plan", `Cannot make a torrent of this: ${error.detail}.`, {
      subject: options.path,
      cause: error,
    });
  }
}

async function measure(
  ports: DiskPorts,
  { plan, tree }: { readonly plan: TorrentPlan; readonly tree: InputTree },
  { onEvent, signal }: CommandRun<CreateEvent>,
): Promise<PlanMeasure> {
  const files = plan.files.map(({ path, executable, input }) => ({
    // The only file of a torrent has no path in the torrent, but has one on disk.
    path: (input === undefined ? path : tree.files[input]!.path).join("/"),
    executable,
  }));
  const disk = ports.openDisk({ bytes: plan.geometry.dataLength, files: tree.files.length });
  try {
    return await disk.measure({
      layout: { root: tree.root, geometry: plan.geometry, files },
      v1: plan.kind !== "v2",
      v2: plan.kind !== "v1",
      onProgress: (bytesDone) => onEvent({ kind: "hashed", bytesDone }),
      signal,
    });
  } catch (error) {
    throw measureTrouble(error);
  } finally {
    await disk.close();
  }
}

function build(
  plan: TorrentPlan,
  measured: PlanMeasure,
  options: CreateOptions & { readonly nowMs: number },
): BuiltTorrent {
  const { trackers, webSeeds, nodes, comment, source } = options;
  return buildMetainfo(plan, measured, {
    trackers,
    webSeeds,
    nodes,
    comment,
    source,
    private: options.private,
    creationDate: options.dated ? Math.floor(options.nowMs / 1000) : undefined,
  });
}

/**
 * Names that every system accepts are stored as they are; others are changed, here as everywhere.
 */
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
