import { equalBytes, toHex } from "../base/bytes.ts";
import { Geometry } from "../base/geometry.ts";
import { invariant } from "../base/errors.ts";
import { rootOfPieceLayer } from "../metainfo/merkle.ts";
import type { Metainfo, TorrentFile, TorrentInfo } from "../metainfo/metainfo.ts";
import type { CommandDisk, DiskPorts } from "./command-ports.ts";
import type { FoundFile } from "./found-files.ts";
import { measureTrouble } from "./measure-trouble.ts";

/** Continues the path of a file whose content has another root. */
export const WRONG_AS_A_WHOLE =
  "is not the torrent's file. Its length matches, but its content differs.";

/** Layers of a torrent, including those computed from its content. */
export interface MeasuredLayers {
  /** By hexadecimal root, as `Metainfo.pieceLayers`. An absent or different file has none. */
  readonly layers: ReadonlyMap<string, Uint8Array>;
  /** By index of the file: true when its content has the root in the torrent. */
  readonly judged: ReadonlyMap<number, boolean>;
}

/**
 * Finds the files of a v2 torrent whose piece layers are missing from its .torrent file. Their
 * single pieces cannot be checked, but a whole file can: its root is in the info dictionary.
 *
 * @returns Indexes of files; none in v1 and hybrid torrents, where the v1 hashes decide.
 */
export function filesWithoutLayer({ info, pieceLayers }: Metainfo): Set<number> {
  const lacking = new Set<number>();
  if (info.kind !== "v2") return lacking;
  for (const [index, { piecesRoot, length }] of info.files.entries()) {
    if (!piecesRoot || length <= info.geometry.pieceLength) continue;
    if (!pieceLayers.has(toHex(piecesRoot))) lacking.add(index);
  }
  return lacking;
}

/**
 * Computes the missing piece layers from the existing content, file by file, and accepts each only
 * if it has the root in the torrent (BEP 52).
 *
 * @param found - From `findFiles`; only files of the right length are read.
 * @param how.root - The folder of `found`.
 * @param how.onProgress - Bytes read so far.
 * @throws {CommandError} When a file cannot be read. Or the signal's reason.
 */
export async function measureLayers(
  ports: DiskPorts,
  metainfo: Metainfo,
  found: readonly FoundFile[],
  how: {
    readonly root: string;
    readonly onProgress: (bytesDone: number) => void;
    readonly signal: AbortSignal;
  },
): Promise<MeasuredLayers> {
  const { info } = metainfo;
  const layers = new Map(metainfo.pieceLayers);
  const judged = new Map<number, boolean>();
  const lacking = filesWithoutLayer(metainfo);
  const readable = found.filter(({ index, state }) => lacking.has(index) && state === "fits");
  if (readable.length === 0) return { layers, judged };
  const bytes = readable.reduce((sum, { index }) => sum + info.files[index]!.length, 0);
  const disk = ports.openDisk({ bytes, files: readable.length });
  let bytesDone = 0;
  try {
    for (const { index } of readable) {
      const file = info.files[index]!;
      const bytesBefore = bytesDone;
      const layer = await measureFile(
        disk,
        { file, info },
        {
          ...how,
          onProgress: (bytes) => how.onProgress(bytesBefore + bytes),
        },
      );
      bytesDone += file.length;
      const isRight = equalBytes(
        rootOfPieceLayer(layer, info.geometry.pieceLength),
        file.piecesRoot!,
      );
      judged.set(index, isRight);
      if (isRight) layers.set(toHex(file.piecesRoot!), layer);
    }
  } finally {
    await disk.close();
  }
  return { layers, judged };
}

/** @returns The node of each piece of the file's content. */
async function measureFile(
  disk: CommandDisk,
  { file, info }: { readonly file: TorrentFile; readonly info: TorrentInfo },
  how: Parameters<typeof measureLayers>[3],
): Promise<Uint8Array> {
  const { path, executable, length } = file;
  const geometry = new Geometry({
    pieceLength: info.geometry.pieceLength,
    files: [{ offset: 0, length, pad: false }],
    aligned: true,
  });
  try {
    const { v2 } = await disk.measure({
      layout: {
        root: how.root,
        geometry,
        files: [{ path: path.join("/"), executable }],
        throughLinks: true,
      },
      v1: false,
      v2: true,
      onProgress: how.onProgress,
      signal: how.signal,
    });
    invariant(v2, "nodes were asked for");
    return v2;
  } catch (error) {
    throw measureTrouble(error);
  }
}
