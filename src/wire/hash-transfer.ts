import { readUint32, writeUint32 } from "../base/bytes.ts";
import { MESSAGE } from "./message-id.ts";
import { WireError } from "./wire-error.ts";
import type { HashRange } from "./wire-sink.ts";

/** Hashes of the base layer in one message (BEP 52: "should not exceed 512"). */
export const BASE_HASHES_MAX = 512;

/**
 * Of the base layer in one request: the leaves of a piece of 128 MiB. libtorrent 2.0.8 asks for all leaves of a
 * piece that came out wrong at once (1024 for 16 MiB). Longer ones are hostile.
 */
export const ASKED_HASHES_MAX = 8192;

/** A tree over 2^63 bytes in blocks of 16 KiB has fewer layers. */
const LAYERS_MAX = 64;

const HASH_BYTES = 32;
const RANGE_BYTES = 48;

/** Length of the frame of a hash request and of a hash reject, prefix not counted. */
export const HASH_RANGE_FRAME_BYTES = 1 + RANGE_BYTES;

/** Longest `hashes` frame, prefix not counted. */
export const HASHES_FRAME_BYTES_MAX =
  HASH_RANGE_FRAME_BYTES + HASH_BYTES * (BASE_HASHES_MAX + LAYERS_MAX);

/**
 * Hashes above the base layer that a `hashes` message for this range carries (BEP 52). The first
 * log2(length) - 1 proof layers count as asked for but follow from the base hashes themselves.
 */
export function uncleCount(range: Pick<HashRange, "length" | "proofLayers">): number {
  return Math.max(0, range.proofLayers - (31 - Math.clz32(range.length) - 1));
}

/** @returns A whole frame: length, id, range. */
export function encodeHashRequest(range: HashRange): Uint8Array {
  return encodeRange(MESSAGE.hashRequest, range, 0);
}

/** @returns A whole frame: the answer to a hash request we do not serve. */
export function encodeHashReject(range: HashRange): Uint8Array {
  return encodeRange(MESSAGE.hashReject, range, 0);
}

/** @param hashes - Base hashes, then uncles from low to high. */
export function encodeHashes(range: HashRange, hashes: Uint8Array): Uint8Array {
  const frame = encodeRange(MESSAGE.hashes, range, hashes.length);
  frame.set(hashes, frame.length - hashes.length);
  return frame;
}

/**
 * Reads the range that all three messages begin with.
 *
 * @param offset - Of the byte after the id.
 * @returns A range that stays valid: the root is copied.
 * @param lengthMax - Hashes of the base layer. Others may ask for more than we send, which is no crime.
 * @throws {WireError} `bad-hash-range` when no tree has such a range (WIR-18).
 */
export function decodeHashRange(
  bytes: Uint8Array,
  offset: number,
  lengthMax = BASE_HASHES_MAX,
): HashRange {
  const baseLayer = readUint32(bytes, offset + 32);
  const index = readUint32(bytes, offset + 36);
  const length = readUint32(bytes, offset + 40);
  const proofLayers = readUint32(bytes, offset + 44);
  if (baseLayer >= LAYERS_MAX) throw new WireError("bad-hash-range", `base layer ${baseLayer}`);
  if (proofLayers >= LAYERS_MAX) {
    throw new WireError("bad-hash-range", `${proofLayers} proof layers`);
  }
  if (length < 2 || length > lengthMax || (length & (length - 1)) !== 0) {
    throw new WireError("bad-hash-range", `${length} hashes`);
  }
  if (index % length !== 0) {
    throw new WireError("bad-hash-range", `index ${index} is no multiple of ${length}`);
  }
  return { piecesRoot: bytes.slice(offset, offset + 32), baseLayer, index, length, proofLayers };
}

/**
 * Reads the payload of a `hashes` message.
 *
 * @returns The range and a view of the hashes, as many as the range has base hashes and uncles.
 * @throws {WireError} `bad-hash-range`.
 */
export function decodeHashes(
  bytes: Uint8Array,
  offset: number,
  end: number,
): { range: HashRange; hashes: Uint8Array } {
  const range = decodeHashRange(bytes, offset);
  const hashes = bytes.subarray(offset + RANGE_BYTES, end);
  const expected = range.length + uncleCount(range);
  if (hashes.length !== expected * HASH_BYTES) {
    throw new WireError("bad-hash-range", `${hashes.length / HASH_BYTES} hashes of ${expected}`);
  }
  return { range, hashes };
}

function encodeRange(id: number, range: HashRange, tailBytes: number): Uint8Array {
  const frame = new Uint8Array(4 + HASH_RANGE_FRAME_BYTES + tailBytes);
  writeUint32(frame, 0, HASH_RANGE_FRAME_BYTES + tailBytes);
  frame[4] = id;
  frame.set(range.piecesRoot, 5);
  writeUint32(frame, 37, range.baseLayer);
  writeUint32(frame, 41, range.index);
  writeUint32(frame, 45, range.length);
  writeUint32(frame, 49, range.proofLayers);
  return frame;
}
