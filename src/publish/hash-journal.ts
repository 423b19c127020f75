import { concatBytes, equalBytes, writeUint32 } from "../base/bytes.ts";
import { sha256 } from "../base/hash.ts";

const V1_BYTES = 20;
const V2_BYTES = 32;
const CHECK_BYTES = 4;

/** The hashes of one arrived piece. */
export interface PieceRecord {
  readonly v1?: Uint8Array | undefined;
  readonly v2?: Uint8Array | undefined;
}

/** The hashes that the torrent needs. */
export interface HashKinds {
  readonly v1: boolean;
  readonly v2: boolean;
}

/**
 * The sidecar file of an upload: one record for each piece that is durable on disk, in order. A record ends in four
 * bytes that depend on its position, so that a record half-written or zeroed by a power cut is not taken for a hash.
 */
export function encodeJournal(
  records: readonly PieceRecord[],
  kinds: HashKinds,
  first: number,
): Uint8Array {
  return concatBytes(
    records.flatMap((record, index) => {
      const hashes = concatBytes([
        ...(kinds.v1 && record.v1 ? [record.v1] : []),
        ...(kinds.v2 && record.v2 ? [record.v2] : []),
      ]);
      return [hashes, checkBytes(hashes, first + index)];
    }),
  );
}

/** Bytes of one record. */
export function recordBytes(kinds: HashKinds): number {
  return (kinds.v1 ? V1_BYTES : 0) + (kinds.v2 ? V2_BYTES : 0) + CHECK_BYTES;
}

/** @returns The records up to the first truncated or wrong one, at most `piecesMax`. */
export function decodeJournal(
  journal: Uint8Array,
  kinds: HashKinds,
  piecesMax: number,
): PieceRecord[] {
  const size = recordBytes(kinds);
  const records: PieceRecord[] = [];
  while (records.length < piecesMax) {
    const start = records.length * size;
    if (start + size > journal.length) break;
    const hashes = journal.subarray(start, start + size - CHECK_BYTES);
    const check = journal.subarray(start + size - CHECK_BYTES, start + size);
    if (!equalBytes(check, checkBytes(hashes, records.length))) break;
    records.push({
      v1: kinds.v1 ? hashes.subarray(0, V1_BYTES) : undefined,
      v2: kinds.v2 ? hashes.subarray(hashes.length - V2_BYTES) : undefined,
    });
  }
  return records;
}

function checkBytes(hashes: Uint8Array, piece: number): Uint8Array {
  const place = new Uint8Array(4);
  writeUint32(place, 0, piece);
  return sha256(concatBytes([hashes, place])).subarray(0, CHECK_BYTES);
}
