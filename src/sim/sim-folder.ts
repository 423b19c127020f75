import { sha1 } from "../base/hash.ts";
import { buildMetainfo, planTorrent } from "../metainfo/create.ts";
import { NODE_BYTES } from "../metainfo/merkle.ts";
import type { TorrentKind } from "../metainfo/metainfo.ts";
import { parseMetainfo } from "../metainfo/parse-metainfo.ts";
import type { Random } from "../ports/random.ts";
import { nodeOf, type SimTorrent } from "./sim-torrent.ts";

const SHA1_BYTES = 20;

/** A torrent of several files. Its `bytes` are its whole space, zeros between files. */
export interface SimFolder extends SimTorrent {
  /** By path below the torrent's folder, names joined with slashes. */
  readonly files: ReadonlyMap<string, Uint8Array>;
}

export interface SimFolderOptions {
  readonly random: Random;
  readonly name: string;
  readonly files: readonly { readonly path: readonly string[]; readonly length: number }[];
  readonly pieceLength: number;
  readonly kind: TorrentKind;
}

/** Makes a torrent of files with random bytes. */
export function makeSimFolder(options: SimFolderOptions): SimFolder {
  const { name, kind, pieceLength, random } = options;
  const plan = planTorrent({ name, kind, pieceLength, files: options.files });
  const { geometry } = plan;
  const bytes = new Uint8Array(geometry.spaceLength);
  const files = new Map<string, Uint8Array>();
  for (const { path, offset, length, pad } of plan.files) {
    if (pad) continue;
    const content = Uint8Array.from({ length }, () => random.below(256));
    bytes.set(content, offset);
    files.set(path.join("/"), content);
  }
  const v1 = new Uint8Array(geometry.pieceCount * SHA1_BYTES);
  const v2 = new Uint8Array(geometry.pieceCount * NODE_BYTES);
  for (let piece = 0; piece < geometry.pieceCount; piece += 1) {
    const begin = piece * pieceLength;
    v1.set(sha1(bytes.subarray(begin, begin + geometry.pieceSize(piece))), piece * SHA1_BYTES);
    if (kind === "v1") continue;
    const data = bytes.subarray(begin, begin + geometry.dataSize(piece));
    const alone = geometry.files[geometry.fileAt(begin)]!.length <= pieceLength;
    v2.set(nodeOf(data, { pieceLength, alone }), piece * NODE_BYTES);
  }
  return { metainfo: parseMetainfo(buildMetainfo(plan, { v1, v2 }).torrent), name, bytes, files };
}
