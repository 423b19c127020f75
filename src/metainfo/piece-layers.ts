import { equalBytes, fromLatin1, toHex } from "../base/bytes.ts";
import { invariant } from "../base/errors.ts";
import { BencodeReader } from "../bencode/bencode-reader.ts";
import { isBytes, type BencodeDict, type BencodeValue } from "../bencode/bencode-value.ts";
import { finish, type Work } from "../base/work.ts";
import { NODE_BYTES, rootOfPieceLayer } from "./merkle.ts";
import type { TorrentInfo } from "./metainfo.ts";
import { MetainfoError } from "./metainfo-error.ts";
import type { ReadingNotes } from "./reading-notes.ts";

/** Files, or layers, that are processed before other work gets a turn; each layer that is hashed also ends a step. */
const FILES_PER_STEP = 256;

/**
 * Reads `piece layers` of a .torrent file and checks each against its root (BEP 52, MET-14): a piece hash counts as
 * known only when the file's root confirms it. Missing layers are requested from peers, like those of a magnet link.
 *
 * @param torrent - The outer dictionary. Its `piece layers` hold raw bytes, see `RAW_KEYS`.
 * @param notes - Receives what is missing or was left out.
 * @returns Layers by hexadecimal root; empty for v1.
 * @throws {MetainfoError} `bad-piece-layers` when a layer contradicts the root of its file.
 */
export function* readPieceLayers(
  torrent: BencodeDict,
  info: TorrentInfo,
  notes: ReadingNotes,
): Work<Map<string, Uint8Array>> {
  const layers = new Map<string, Uint8Array>();
  if (info.kind === "v1") return layers;
  const pieceLength = info.geometry.pieceLength;
  const given = yield* readLayerDict(torrent, notes);
  const missing = new Set<string>();
  for (const [index, { piecesRoot, length }] of info.files.entries()) {
    if (index % FILES_PER_STEP === FILES_PER_STEP - 1) yield;
    if (!piecesRoot) continue;
    const root = toHex(piecesRoot);
    // A file of one piece needs no layer: its root is the hash of the piece.
    if (length <= pieceLength) continue;
    const count = Math.ceil(length / pieceLength);
    const known: BencodeValue | undefined = layers.get(root) ?? given.get(root);
    if (known === undefined) {
      missing.add(root);
      continue;
    }
    if (!isBytes(known)) throw layerError(root, "is no byte string");
    if (known.length !== count * NODE_BYTES) {
      throw layerError(root, `has ${known.length} bytes, not ${count} hashes of ${NODE_BYTES}`);
    }
    // Files with the same content share one layer, which is hashed once.
    if (layers.has(root)) continue;
    if (!equalBytes(rootOfPieceLayer(known, pieceLength), piecesRoot)) {
      throw layerError(root, "does not hash to this root");
    }
    layers.set(root, known);
    yield;
  }
  const needless = given.size - layers.size;
  if (missing.size > 0)
    notes.warn(`${missing.size} piece layers are not there; peers are asked for them`);
  if (needless > 0) notes.warn(`${needless} piece layers that no file needs were left out`);
  return layers;
}

/**
 * The expected merkle node of every piece, for `PieceHashes.v2` of the engine.
 *
 * @param layers - Checked layers by hexadecimal root; unknown ones may be missing.
 * @returns 32 bytes a piece in shared memory, zeros where unknown; `undefined` for v1.
 */
export function pieceHashesV2(
  info: TorrentInfo,
  layers: ReadonlyMap<string, Uint8Array>,
): Uint8Array | undefined {
  return finish(pieceHashesV2InSteps(info, layers));
}

/** The same in steps: there may be 200,000 files. */
export function* pieceHashesV2InSteps(
  info: TorrentInfo,
  layers: ReadonlyMap<string, Uint8Array>,
): Work<Uint8Array | undefined> {
  if (info.kind === "v1") return undefined;
  const { geometry } = info;
  const table = new Uint8Array(new SharedArrayBuffer(geometry.pieceCount * NODE_BYTES));
  for (const [index, file] of info.files.entries()) {
    if (index % FILES_PER_STEP === FILES_PER_STEP - 1) yield;
    if (!file.piecesRoot) continue;
    const { first } = geometry.filePieces(index);
    const nodes =
      file.length <= geometry.pieceLength ? file.piecesRoot : layers.get(toHex(file.piecesRoot));
    if (nodes) table.set(nodes, first * NODE_BYTES);
  }
  return table;
}

/** @returns Values by hexadecimal key, as they stand there. */
function* readLayerDict(
  torrent: BencodeDict,
  notes: ReadingNotes,
): Work<Map<string, BencodeValue>> {
  const given = new Map<string, BencodeValue>();
  const raw = torrent.get("piece layers");
  if (raw === undefined) return given;
  invariant(isBytes(raw), "it is one of `RAW_KEYS`");
  const reader = new BencodeReader(raw, { bytesMax: raw.length, oddities: notes.oddities });
  if (!reader.enterDict()) {
    notes.warn(`"piece layers" is no dictionary and was left out`);
    return given;
  }
  for (let read = 1; ; read += 1) {
    if (read % FILES_PER_STEP === 0) yield;
    const key = reader.nextKey();
    if (key === undefined) return given;
    const root = toHex(fromLatin1(key));
    const value = reader.value();
    if (given.has(root)) notes.judgeRepeat(undefined, key, false);
    else given.set(root, value);
  }
}

function layerError(root: string, what: string): MetainfoError {
  return new MetainfoError("bad-piece-layers", `"piece layers" ${root.slice(0, 16)}...: ${what}`);
}
