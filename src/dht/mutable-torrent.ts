import { type BencodeValue, getBytes, isDict } from "../bencode/bencode-value.ts";
import { decode } from "../bencode/decode.ts";
import { dictOf, encode } from "../bencode/encode.ts";
import { BencodeError } from "../bencode/bencode-error.ts";
import { INFOHASH_V1_BYTES, INFOHASH_V2_BYTES, type Infohashes } from "../base/infohash.ts";

/**
 * The value of a mutable item that names the newest version of a torrent (BEP 46): `ih` as the BEP has it, and `ih2` for
 * the whole v2 infohash, which is ours.
 */
export function encodePointer({ v1, v2 }: Infohashes): Uint8Array {
  return encode(dictOf({ ih: v1 ?? v2?.subarray(0, INFOHASH_V1_BYTES), ih2: v2 }));
}

/** @returns `undefined` when the value names no torrent. */
export function decodePointer(value: Uint8Array): Infohashes | undefined {
  const dict = decodeValue(value);
  if (!dict || !isDict(dict)) return undefined;
  const ih = getBytes(dict, "ih");
  const ih2 = getBytes(dict, "ih2");
  const v1 = ih?.length === INFOHASH_V1_BYTES ? ih : undefined;
  const v2 = ih2?.length === INFOHASH_V2_BYTES ? ih2 : undefined;
  if (v2 && v1 && v1.every((byte, index) => byte === v2[index])) return { v2 };
  return v1 || v2 ? { v1, v2 } : undefined;
}

function decodeValue(value: Uint8Array): BencodeValue | undefined {
  try {
    return decode(value, { depthMax: 64 });
  } catch (error) {
    if (error instanceof BencodeError) return undefined;
    throw error;
  }
}
