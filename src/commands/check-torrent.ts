import { Bitfield } from "../base/bitfield.ts";
import { contentLayout } from "../engine/content-layout.ts";
import type { Metainfo, TorrentInfo } from "../metainfo/metainfo.ts";
import { pieceHashesV2 } from "../metainfo/piece-layers.ts";
import type { DiskOutcome } from "../ports/content.ts";
import { diskTrouble } from "./command-error.ts";
import type { CommandRun, DiskPorts, SourcePorts } from "./command-ports.ts";
import {
  filesWithoutLayer,
  type MeasuredLayers,
  measureLayers,
  WRONG_AS_A_WHOLE,
} from "./known-layers.ts";
import { findFiles, type FoundFile, whyOther } from "./found-files.ts";
import { locateContent } from "./locate-content.ts";
import { readTorrentFile } from "./torrent-source.ts";
import { suffixOf } from "./unfinished-files.ts";

export type CheckPorts = SourcePorts & DiskPorts;

export interface CheckTorrentOptions extends CommandRun<CheckEvent> {
  /** A .torrent file or its URL. */
  readonly source: string;
  /** The folder that holds the content. */
  readonly folder: string;
}

export type CheckEvent =
  /** The content to compare is known. */
  | {
      readonly kind: "begun";
      readonly name: string;
      readonly files: number;
      readonly bytes: number;
      readonly root: string;
    }
  /** Bytes compared so far. */
  | { readonly kind: "checked"; readonly bytesDone: number };

/** The result of a check, in JSON's types. */
export interface CheckedTorrent {
  /** True when every file exists with the torrent's length, and every piece is good. */
  readonly ok: boolean;
  readonly name: string;
  readonly pieces: number;
  readonly good: number;
  readonly bad: number;
  readonly bytes: number;
  /** Pieces of the file, without padding. A piece that two files share counts in both. */
  readonly files: readonly CheckedFile[];
  /** One sentence for each entry that is not a file of the torrent's length. */
  readonly others: readonly string[];
}

export interface CheckedFile {
  /** The path on this disk: the torrent's own names, or names that every system accepts. */
  readonly path: string;
  readonly length: number;
  readonly good: number;
  readonly bad: number;
  /** Bad pieces that no other file shares. If there are none, another file may be the wrong one. */
  readonly badAlone: number;
  readonly missing: boolean;
  /** An unfinished download: the file has its unfinished name. */
  readonly unfinished: boolean;
  /**
   * Bytes on disk; `null` when there is no file. A file of another length is not the torrent's
   * file.
   */
  readonly size: number | null;
}

/**
 * Compares the files in a folder with their torrent.
 *
 * @throws {CommandError} As `readTorrentFile`; when the folder or a file cannot be read. Or the
 * signal's reason.
 */
export async function checkTorrent(
  ports: CheckPorts,
  options: CheckTorrentOptions,
): Promise<CheckedTorrent> {
  const { metainfo } = await readTorrentFile(ports, options.source, options.signal);
  const { root, info } = locateContent(ports.files, metainfo.info, options.folder);
  const files = info.files.filter((file) => !file.pad).length;
  const { signal, onEvent } = options;
  const bytes = info.geometry.dataLength;
  onEvent({ kind: "begun", name: info.name, files, bytes, root });
  const suffix = suffixOf(metainfo.info);
  const found = findFiles(ports.files, info, { root, suffix });
  const { layers, judged } = await measureLayers(ports, { ...metainfo, info }, found, {
    root,
    signal,
    onProgress: (bytesDone) => onEvent({ kind: "checked", bytesDone }),
  });
  const known = { ...metainfo, info, pieceLayers: layers };
  const intact = await judgePieces(ports, known, { root, suffix, found, judged }, options);
  return describe(known, found, intact);
}

async function judgePieces(
  ports: DiskPorts,
  metainfo: Metainfo,
  place: {
    readonly root: string;
    readonly suffix: string;
    readonly found: readonly FoundFile[];
    readonly judged: MeasuredLayers["judged"];
  },
  options: CheckTorrentOptions,
): Promise<Bitfield> {
  const { info } = metainfo;
  const { geometry } = info;
  const { signal, onEvent } = options;
  const pieces = new Bitfield(geometry.pieceCount);
  pieces.fill();
  const intact = new Bitfield(geometry.pieceCount);
  const unknown = filesWithoutLayer(metainfo);
  let bytesDone = 0;
  for (const { index, state, size } of place.found) {
    if (info.files[index]!.length === 0) continue;
    const asWhole = place.judged.get(index);
    if (asWhole !== undefined) bytesDone += info.files[index]!.length;
    // Skip entries that are not files, and files that were already compared as a whole.
    const isNoFile = state === "other" && size === undefined;
    if (asWhole === undefined && !isNoFile && !unknown.has(index)) continue;
    const { first, end } = geometry.filePieces(index);
    for (let piece = first; piece < end; piece += 1) {
      pieces.delete(piece);
      if (asWhole === true) intact.add(piece);
    }
  }
  const disk = ports.openDisk({ bytes: geometry.dataLength, files: info.files.length });
  const layout = contentLayout(info, place.root, pieceHashesV2(info, metainfo.pieceLayers));
  const content = disk.open({ ...layout, readOnly: true, unfinishedSuffix: place.suffix });
  try {
    signal.throwIfAborted();
    const outcome = await new Promise<DiskOutcome>((resolve, reject) => {
      const stop = content.judge.check({
        pieces,
        onPiece: (piece, good) => {
          if (good) intact.add(piece);
          bytesDone += geometry.requestSize(piece);
          onEvent({ kind: "checked", bytesDone });
        },
        onDone: resolve,
      });
      signal.addEventListener("abort", () => {
        stop();
        reject(signal.reason as Error);
      });
    });
    if (outcome.kind === "failure")
      throw diskTrouble(outcome, `read ${outcome.path}`, outcome.path);
  } finally {
    await disk.close();
  }
  return intact;
}

function describe(
  metainfo: Metainfo,
  found: readonly FoundFile[],
  intact: Bitfield,
): CheckedTorrent {
  const { info } = metainfo;
  const { geometry } = info;
  const unknown = filesWithoutLayer(metainfo);
  const files = found.map(({ index, state, size = null }): CheckedFile => {
    const file = info.files[index]!;
    const { first, end } = geometry.filePieces(index);
    let good = 0;
    let badAlone = 0;
    for (let piece = first; piece < end; piece += 1) {
      if (intact.has(piece)) good += 1;
      else if (!isShared(info, piece, index)) badAlone += 1;
    }
    return {
      path: file.path.join("/"),
      length: file.length,
      good,
      bad: end - first - good,
      badAlone,
      missing: state === "missing",
      unfinished: state === "unfinished",
      size,
    };
  });
  const bad = geometry.pieceCount - intact.count;
  return {
    ok: bad === 0 && found.every(({ state }) => state === "fits"),
    name: info.name,
    pieces: geometry.pieceCount,
    good: intact.count,
    bad,
    bytes: geometry.dataLength,
    files,
    others: found.flatMap(({ index, path, state, size }) => {
      if (state === "other") return [`${path} ${whyOther(size, info.files[index]!.length)}`];
      if (state !== "fits" || !unknown.has(index)) return [];
      return [`${path} ${WRONG_AS_A_WHOLE} Only peers know which of its pieces are wrong.`];
    }),
  };
}

/** True when a piece also holds bytes of another file, padding aside. */
function isShared({ geometry, files }: TorrentInfo, piece: number, index: number): boolean {
  return geometry
    .spans(piece * geometry.pieceLength, geometry.pieceSize(piece))
    .some(({ file }) => file !== index && !files[file]!.pad);
}
