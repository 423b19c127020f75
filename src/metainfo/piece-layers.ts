import { equalBytes, fromLatin1, toHex } from "../base/bytes.ts";
import { isBytes, type BencodeDict } from "../bencode/bencode-value.ts";
import { NODE_BYTES, rootOfPieceLayer } from "./merkle.ts";
import type { TorrentInfo } from "./metainfo.ts";
import { MetainfoError } from "./metainfo-error.ts";
import { requireDict } from "./read-info-fields.ts";

/**
 * Reads `piece layers` of a .torrent file and checks each against its root (BEP 52, MET-14): a piece
 * counts as known only when the file's root says so.
 *
 * @param torrent - The outer dictionary.
 * @param warnings - Receives what was left out.
 * @returns By hexadecimal root; empty for v1.
 * @throws {MetainfoError} `bad-piece-layers` when one is missing, wrong, or of no file.
 */
export function readPieceLayers(
  torrent: BencodeDict,
  info: TorrentInfo,
  warnings: string[],
): Map<string, Uint8Array> {
  const layers = new Map<string, Uint8Array>();
  if (info.kind === "v1") return layers;
  const pieceLength = info.geometry.pieceLength;
  const given = readLayerDict(torrent);
  const needless = new Set<string>();
  for (const { piecesRoot, length } of info.files) {
    if (!piecesRoot) continue;
    const root = toHex(piecesRoot);
    if (length <= pieceLength) {
      needless.add(root);
      continue;
    }
    const count = Math.ceil(length / pieceLength);
    const known = layers.get(root) ?? given.get(root);
    if (known === undefined) throw layerError(root, "is not there");
    if (known.length !== count * NODE_BYTES) {
      throw layerError(root, `has ${known.length} bytes, not ${count} hashes of ${NODE_BYTES}`);
    }
    // Files with the same content share one layer, which is hashed once.
    if (layers.has(root)) continue;
    if (!equalBytes(rootOfPieceLayer(known, pieceLength), piecesRoot)) {
      throw layerError(root, "does not hash to this root");
    }
    layers.set(root, known);
  }
  for (const root of given.keys()) {
    if (layers.has(root)) continue;
    if (!needless.has(root)) throw layerError(root, "belongs to no file");
    warnings.push("a piece layer was left out: its file has one piece only");
  }
  return layers;
}

/**
 * The expected merkle node of every piece, for `PieceHashes.v2` of the engine.
 *
 * @param layers - Checked layers by hexadecimal root; those that are not known yet may be missing.
 * @returns 32 bytes a piece in shared memory, zeros where unknown; `undefined` for v1.
 */
export function pieceHashesV2(
  info: TorrentInfo,
  layers: ReadonlyMap<string, Uint8Array>,
): Uint8Array | undefined {
  if (info.kind === "v1") return undefined;
  const { geometry } = info;
  const table = new Uint8Array(new SharedArrayBuffer(geometry.pieceCount * NODE_BYTES));
  for (const [index, file] of info.files.entries()) {
    if (!file.piecesRoot) continue;
    const { first } = geometry.filePieces(index);
    const nodes =
      file.length <= geometry.pieceLength ? file.piecesRoot : layers.get(toHex(file.piecesRoot));
    if (nodes) table.set(nodes, first * NODE_BYTES);
  }
  return table;
}

function readLayerDict(torrent: BencodeDict): Map<string, Uint8Array> {
  const given = new Map<string, Uint8Array>();
  if (!torrent.has("piece layers")) return given;
  for (const [key, value] of requireDict(torrent.get("piece layers"), "piece layers")) {
    const root = toHex(fromLatin1(key));
    if (key.length !== NODE_BYTES) throw layerError(root, `is named by ${key.length} bytes`);
    if (!isBytes(value)) throw layerError(root, "is no byte string");
    given.set(root, value);
  }
  return given;
}

function layerError(root: string, what: string): MetainfoError {
  return new MetainfoError("bad-piece-layers", `"piece layers" ${root.slice(0, 16)}...: ${what}`);
}
