import { readUint32, writeUint32 } from "../base/bytes.ts";
import { MESSAGE } from "./message-id.ts";
import { WireError } from "./wire-error.ts";
import type { HashRange } from "./wire-sink.ts";

/** Hashes of the base layer in one message (BEP 52: "should not exceed 512"). */
export const BASE_HASHES_MAX = 512;

/**
 * Hashes of the base layer in one request: the leaves of a piece of 128 MiB. After a hash failure, libtorrent 2.0.8
 * asks for all leaves of the piece at once (1024 for 16 MiB). Longer requests are hostile.
 */
export const ASKED_HASHES_MAX = 8192;

/** A tree over 2^63 bytes in blocks of 16 KiB has fewer layers than this. */
const LAYERS_MAX = 64;

const HASH_BYTES = 32;
const RANGE_BYTES = 48;

/** Length of the frame of a hash request or a hash reject, without its prefix. */
export const HASH_RANGE_FRAME_BYTES = 1 + RANGE_BYTES;

/** Length of the longest `hashes` frame, without its prefix. */
export const HASHES_FRAME_BYTES_MAX =
  HASH_RANGE_FRAME_BYTES + HASH_BYTES * (BASE_HASHES_MAX + LAYERS_MAX);

/**
 * Hashes above the base layer in a `hashes` message for this range (BEP 52). The first log2(length) - 1 proof layers
 * count as requested, but follow from the base hashes themselves.
 */
export function uncleCount(range: Pick<HashRange, "length" | "proofLayers">): number {
  return Math.max(0, range.proofLayers - (31 - Math.clz32(range.length) - 1));
}

/** @returns A whole frame: length, id, range. */
export function encodeHashRequest(range: HashRange): Uint8Array {
  return encodeRange(MESSAGE.hashRequest, range, 0);
}

/** @returns A whole frame: the answer to a hash request that we do not serve. */
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
 * Reads the range at the start of all three messages.
 *
 * @param offset - Offset of the byte after the id.
 * @returns A range that stays valid, because the root is copied.
 * @param lengthMax - Hashes of the base layer. Peers may ask for more than we would send.
 * @throws {WireError} `bad-hash-range` when no tree can have this range (WIR-18).
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
    throw new WireError("bad-hash-range", `index ${index} is not a multiple of ${length}`);
  }
  return { piecesRoot: bytes.slice(offset, offset + 32), baseLayer, index, length, proofLayers };
}

/**
 * Reads the payload of a `hashes` message.
 *
 * @returns The range and a view of its hashes. Their number must fit the range.
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
