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
  /** It is known what is going to be compared. */
  | {
      readonly kind: "begun";
      readonly name: string;
      readonly files: number;
      readonly bytes: number;
      readonly root: string;
    }
  /** Of the bytes, so many were compared. */
  | { readonly kind: "checked"; readonly bytesDone: number };

/** What a check found, in JSON's types. */
export interface CheckedTorrent {
  /** True when every file is there, as long as the torrent says, and every piece is good. */
  readonly ok: boolean;
  readonly name: string;
  readonly pieces: number;
  readonly good: number;
  readonly bad: number;
  readonly bytes: number;
  /** Padding left out. A piece that two files share counts in both. */
  readonly files: readonly CheckedFile[];
  /** A sentence for each that is there and not as long as the torrent says, or no file. */
  readonly others: readonly string[];
}

export interface CheckedFile {
  /** As it is stored here: with the torrent's own names, or with those that every system takes. */
  readonly path: string;
  readonly length: number;
  readonly good: number;
  readonly bad: number;
  /** Bad pieces that no other file shares. Without any, another file may be the one that is wrong. */
  readonly badAlone: number;
  readonly missing: boolean;
  /** A download of it has begun and not ended: it stands under the name of an unfinished file. */
  readonly unfinished: boolean;
  /** Bytes that it has here; `null` when no file is there. One that is longer or shorter is not the torrent's file. */
  readonly size: number | null;
}

/**
 * Compares the files below a folder with their torrent.
 *
 * @throws {CommandError} As `readTorrentFile`; when the folder or a file cannot be read. Or the signal's
 *   reason.
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
    // A folder or device in the place of a file is not read; a file that was compared as a whole is not read again.
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
      return [`${path} ${WRONG_AS_A_WHOLE} Which of its pieces are wrong, only peers know.`];
    }),
  };
}

/** Whether a piece holds bytes of another file too, padding not counted. */
function isShared({ geometry, files }: TorrentInfo, piece: number, index: number): boolean {
  return geometry
    .spans(piece * geometry.pieceLength, geometry.pieceSize(piece))
    .some(({ file }) => file !== index && !files[file]!.pad);
}
