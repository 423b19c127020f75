import { encodeUtf8, latin1OfUtf8, toLatin1 } from "../base/bytes.ts";
import { invariant } from "../base/errors.ts";
import { Geometry, type FileExtent } from "../base/geometry.ts";
import { sha1, sha256 } from "../base/hash.ts";
import type { Infohashes } from "../base/infohash.ts";
import { finish, sortInSteps, type Work } from "../base/work.ts";
import { dictOf, type Encodable } from "../bencode/encode.ts";
import { encodeInSteps } from "../bencode/encode-in-steps.ts";
import { NODE_BYTES, rootOfPieceLayer } from "./merkle.ts";
import { MetainfoError } from "./metainfo-error.ts";
import type { TorrentKind } from "./metainfo.ts";
import { isPaddingName } from "./padding-names.ts";
import { PIECE_LENGTH_MAX, PIECE_LENGTH_V2_MIN, PIECES_MAX, SHA1_BYTES } from "./read-info.ts";
import { isTrackerUrl, isWebSeedUrl } from "./urls.ts";

/** The value of `created by`. It has no version, so that every release makes the same file from the same content. */
const CREATED_BY = "Everseed";

/** Names in the path of one file: in a v2 tree each is a level of bencode, and many readers allow a hundred levels. */
const PATH_NAMES_MAX = 95;

/** Bytes; the largest piece length that `autoPieceLength` chooses. */
const AUTO_PIECE_LENGTH_MAX = 16 * 1024 * 1024;

/** Files that are processed before other work gets a turn. */
const FILES_PER_STEP = 256;

/** A file to put into the torrent. */
export interface InputFile {
  /** Names below the torrent's folder. Empty for the one file of a torrent that has no folder. */
  readonly path: readonly string[];
  /** Bytes. */
  readonly length: number;
  readonly executable?: boolean | undefined;
}

/** A file or padding in its place in the torrent's space of bytes. */
export interface PlannedFile extends FileExtent {
  /** Names below the torrent's folder; for padding, `.pad` and its length. */
  readonly path: readonly string[];
  readonly executable: boolean;
  /** Index into the files that `planTorrent` was given; `undefined` for padding. */
  readonly input: number | undefined;
}

/** A torrent whose pieces are not hashed yet. */
export interface TorrentPlan {
  readonly kind: TorrentKind;
  readonly name: string;
  readonly folder: boolean;
  readonly geometry: Geometry;
  /** One for each of `geometry.files`. */
  readonly files: readonly PlannedFile[];
}

export interface PlanOptions {
  /** Name of the file or of the folder. */
  readonly name: string;
  /** In any order. */
  readonly files: readonly InputFile[];
  readonly kind: TorrentKind;
  /** Bytes, a power of two from 16 KiB to 256 MiB. */
  readonly pieceLength: number | "auto";
}

/** A host, by name or address, and a port. */
export interface HostPort {
  readonly host: string;
  readonly port: number;
}

export interface BuildOptions {
  /** Tiers of announce URLs (BEP 12). */
  readonly trackers?: readonly (readonly string[])[] | undefined;
  readonly webSeeds?: readonly string[] | undefined;
  /** DHT nodes to begin with, for a torrent without a tracker (BEP 5). */
  readonly nodes?: readonly HostPort[] | undefined;
  readonly private?: boolean | undefined;
  readonly comment?: string | undefined;
  /** Tag inside `info`: it changes the infohash, as private trackers want. */
  readonly source?: string | undefined;
  /** Seconds since 1970. By default it is left out, so that the same input gives the same bytes. */
  readonly creationDate?: number | undefined;
}

/** The result of hashing, as the `PieceHasher` port returns it. */
export interface PlanMeasure {
  /** SHA-1 of each piece, 20 bytes; needed for v1 and hybrid. */
  readonly v1?: Uint8Array | undefined;
  /** The merkle node of each piece, 32 bytes; for a file of at most one piece, its root. Needed for v2 and hybrid. */
  readonly v2?: Uint8Array | undefined;
}

/** A finished torrent. */
export interface BuiltTorrent {
  /** Bytes of the .torrent file. */
  readonly torrent: Uint8Array;
  /** Bytes of its `info` value. */
  readonly infoBytes: Uint8Array;
  readonly infohashes: Infohashes;
}

/**
 * Chooses the piece length for this many bytes of content, the same for every kind and as libtorrent 2.0 does: the
 * table of hashes grows with the square root of the content, so that neither it nor the pieces get out of hand. 16
 * KiB up to 2.6 MB, doubled each time the content is four times as large, 16 MiB at most.
 */
export function autoPieceLength(totalBytes: number): number {
  // The goal is a table of SHA-1 hashes of 2 x sqrt(total) bytes.
  const smallest = ((2 * PIECE_LENGTH_V2_MIN) / SHA1_BYTES) ** 2;
  let pieceLength = PIECE_LENGTH_V2_MIN;
  let bound = smallest;
  while (totalBytes > Math.round(bound) && pieceLength < AUTO_PIECE_LENGTH_MAX) {
    pieceLength *= 2;
    bound *= 4;
  }
  return pieceLength;
}

/**
 * Orders files and lays them out. v1: by the bytes of the whole path, as mktorrent does; v2 and hybrid: in the order
 * of the file tree. In a hybrid of several files, padding follows each file that does not end on a piece border,
 * including the last one (like libtorrent from 2.0.8 on).
 *
 * @throws {MetainfoError} `bad-plan` when these files make no torrent.
 */
export function planTorrent(options: PlanOptions): TorrentPlan {
  return finish(planTorrentInSteps(options));
}

/** The same in steps: 100,000 files take a tenth of a second. */
export function* planTorrentInSteps(options: PlanOptions): Work<TorrentPlan> {
  const { name, kind } = options;
  refuseName(name);
  const folder = options.files.some((file) => file.path.length > 0);
  if (options.files.length === 0) throw badPlan("there is no file");
  if (!folder && options.files.length > 1) throw badPlan("several files need a folder");
  const sorted = yield* sortFiles(options.files, kind);
  const pieceLength = choosePieceLength(options);
  const files: PlannedFile[] = [];
  const padded = kind === "hybrid" && sorted.length > 1;
  let offset = 0;
  for (const [count, { index, file }] of sorted.entries()) {
    if (count % FILES_PER_STEP === FILES_PER_STEP - 1) yield;
    if (kind === "v2") offset = Math.ceil(offset / pieceLength) * pieceLength;
    const { path, length, executable = false } = file;
    files.push({ path, length, offset, pad: false, executable, input: index });
    offset += length;
    const padding = padded ? (pieceLength - (offset % pieceLength)) % pieceLength : 0;
    if (padding > 0 && length > 0) {
      files.push({
        path: [".pad", String(padding)],
        length: padding,
        offset,
        pad: true,
        executable: false,
        input: undefined,
      });
      offset += padding;
    }
  }
  yield;
  const geometry = new Geometry({ pieceLength, files, aligned: kind === "v2" });
  if (geometry.pieceCount > PIECES_MAX) {
    throw badPlan(`${geometry.pieceCount} pieces, at most ${PIECES_MAX}: choose larger pieces`);
  }
  return { kind, name, folder, geometry, files };
}

/**
 * Writes the .torrent file of a plan whose pieces are hashed.
 *
 * @param measured - Complete hashes for the kind of the plan.
 * @throws {MetainfoError} `bad-plan` when an option is not usable.
 */
export function buildMetainfo(
  plan: TorrentPlan,
  measured: PlanMeasure,
  options: BuildOptions = {},
): BuiltTorrent {
  return finish(buildMetainfoInSteps(plan, measured, options));
}

/** The same in steps: 100,000 files take a quarter of a second. */
export function* buildMetainfoInSteps(
  plan: TorrentPlan,
  measured: PlanMeasure,
  options: BuildOptions = {},
): Work<BuiltTorrent> {
  const { kind, geometry } = plan;
  const roots =
    kind === "v1" ? undefined : yield* fileRoots(plan, tableOf(plan, measured.v2, NODE_BYTES));
  const trackers = (options.trackers ?? []).filter((tier) => tier.length > 0);
  const { webSeeds = [], nodes = [] } = options;
  refuseUrls(trackers.flat(), webSeeds);
  const info = dictOf({
    ...(kind !== "v2" && (yield* v1Keys(plan, tableOf(plan, measured.v1, SHA1_BYTES)))),
    ...(roots && { "file tree": yield* fileTree(plan, roots.byFile), "meta version": 2 }),
    name: plan.name,
    "piece length": geometry.pieceLength,
    private: options.private ? 1 : undefined,
    source: options.source,
  });
  const infoBytes = yield* encodeInSteps(info);
  const torrent = yield* encodeInSteps(
    dictOf({
      announce: trackers[0]?.[0],
      "announce-list": trackers.flat().length > 1 ? trackers : undefined,
      comment: options.comment,
      "created by": CREATED_BY,
      "creation date": options.creationDate,
      info,
      nodes: nodes.length > 0 ? nodes.map(({ host, port }) => [host, port]) : undefined,
      "piece layers": roots?.layers,
      "url-list": webSeeds.length > 1 ? webSeeds : webSeeds[0],
    }),
  );
  yield;
  const v1 = kind === "v2" ? undefined : sha1(infoBytes);
  yield;
  const v2 = kind === "v1" ? undefined : sha256(infoBytes);
  return { torrent, infoBytes, infohashes: { v1, v2 } };
}

interface SortableFile {
  readonly index: number;
  readonly file: InputFile;
  /** The path with every byte kept, so that comparing texts compares the bytes. */
  readonly key: string;
}

function* sortFiles(files: readonly InputFile[], kind: TorrentKind): Work<SortableFile[]> {
  // A tree compares name by name: the end of a name sorts before every byte, as NUL does.
  const separator = kind === "v1" ? "/" : "\0";
  const keyed: SortableFile[] = [];
  for (const [index, file] of files.entries()) {
    if (index % FILES_PER_STEP === FILES_PER_STEP - 1) yield;
    if (files.length > 1 && file.path.length === 0) throw badPlan("a file has no path");
    for (const name of file.path) refuseName(name);
    if (file.path.length > PATH_NAMES_MAX) {
      throw badPlan(`${file.path[0]!} holds more than ${PATH_NAMES_MAX} folders in each other`);
    }
    if (kind !== "v2" && file.path.length > 0 && isPaddingName(file.path, file.length)) {
      throw badPlan(`${file.path.join("/")} has the name of padding, which nobody stores`);
    }
    if (!Number.isSafeInteger(file.length) || file.length < 0) {
      throw badPlan(`${file.path.join("/")} has ${file.length} bytes`);
    }
    keyed.push({ index, file, key: latin1OfUtf8(file.path.join(separator)) });
  }
  const sorted = yield* sortInSteps(keyed, (a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  for (let index = 1; index < sorted.length; index += 1) {
    if (sorted[index]!.key === sorted[index - 1]!.key) {
      throw badPlan(`${sorted[index]!.file.path.join("/")} is there twice`);
    }
  }
  return sorted;
}

function choosePieceLength(options: PlanOptions): number {
  let total = 0;
  for (const file of options.files) total += file.length;
  if (total > Number.MAX_SAFE_INTEGER) throw badPlan("more than 2^53-1 bytes together");
  const chosen = options.pieceLength === "auto" ? autoPieceLength(total) : options.pieceLength;
  const valid =
    Number.isInteger(Math.log2(chosen)) &&
    chosen >= PIECE_LENGTH_V2_MIN &&
    chosen <= PIECE_LENGTH_MAX;
  if (!valid) {
    throw badPlan(
      `a piece length of ${chosen} bytes; it must be a power of two from ${PIECE_LENGTH_V2_MIN} ` +
        `to ${PIECE_LENGTH_MAX}`,
    );
  }
  return chosen;
}

function refuseName(name: string): void {
  if (name === "" || name === "." || name === ".." || /[/\0]/.test(name)) {
    throw badPlan(`${JSON.stringify(name)} is no name of a file or folder`);
  }
}

function refuseUrls(trackers: readonly string[], webSeeds: readonly string[]): void {
  for (const url of trackers) {
    if (!isTrackerUrl(url)) throw badPlan(`${JSON.stringify(url)} is no tracker URL`);
  }
  for (const url of webSeeds) {
    if (!isWebSeedUrl(url)) throw badPlan(`${JSON.stringify(url)} is no web seed URL`);
  }
}

function badPlan(detail: string): MetainfoError {
  return new MetainfoError("bad-plan", detail);
}

/** @returns `table`, after checking that it has an entry of `entryBytes` for each piece. */
function tableOf(plan: TorrentPlan, table: Uint8Array | undefined, entryBytes: number): Uint8Array {
  invariant(table, "what the kind needs was measured");
  invariant(table.length === plan.geometry.pieceCount * entryBytes, "every piece was measured");
  return table;
}

function* v1Keys(
  plan: TorrentPlan,
  pieces: Uint8Array,
): Work<Record<string, Encodable | undefined>> {
  if (plan.folder) {
    const files: Encodable[] = [];
    for (const file of plan.files) {
      if (files.length % FILES_PER_STEP === FILES_PER_STEP - 1) yield;
      files.push(v1Entry(file));
    }
    return { files, pieces };
  }
  const [file] = plan.files;
  return { attr: attributes(file!), length: file!.length, pieces };
}

function v1Entry(file: PlannedFile): Map<string, Encodable> {
  return dictOf({ attr: attributes(file), length: file.length, path: file.path });
}

function attributes(file: PlannedFile): string | undefined {
  if (file.pad) return "p";
  return file.executable ? "x" : undefined;
}

/** The root of every file that is not empty, and the layer of every file with more than one piece. */
function* fileRoots(
  plan: TorrentPlan,
  nodes: Uint8Array,
): Work<{ byFile: ReadonlyMap<PlannedFile, Uint8Array>; layers: Map<string, Uint8Array> }> {
  const { geometry } = plan;
  const byFile = new Map<PlannedFile, Uint8Array>();
  const layers = new Map<string, Uint8Array>();
  for (const [index, file] of plan.files.entries()) {
    if (index % FILES_PER_STEP === FILES_PER_STEP - 1) yield;
    if (file.pad || file.length === 0) continue;
    const { first, end } = geometry.filePieces(index);
    const own = nodes.subarray(first * NODE_BYTES, end * NODE_BYTES);
    if (end - first === 1) {
      byFile.set(file, own);
      continue;
    }
    const root = rootOfPieceLayer(own, geometry.pieceLength);
    byFile.set(file, root);
    layers.set(toLatin1(root), own);
  }
  return { byFile, layers };
}

type Tree = Map<string, Encodable>;

function* fileTree(plan: TorrentPlan, roots: ReadonlyMap<PlannedFile, Uint8Array>): Work<Tree> {
  const tree: Tree = new Map();
  for (const [index, file] of plan.files.entries()) {
    if (index % FILES_PER_STEP === FILES_PER_STEP - 1) yield;
    if (file.pad) continue;
    let node = tree;
    for (const name of file.path.length > 0 ? file.path : [plan.name]) {
      const key = toLatin1(encodeUtf8(name));
      let child = node.get(key) as Tree | undefined;
      if (!child) node.set(key, (child = new Map()));
      // A file is a node whose one key is empty.
      else if (child.has("")) throw badPlan(`${file.path.join("/")} lies below a file`);
      node = child;
    }
    node.set(
      "",
      dictOf({
        attr: attributes(file),
        length: file.length,
        "pieces root": roots.get(file),
      }),
    );
  }
  return tree;
}
