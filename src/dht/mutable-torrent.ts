import { equalBytes } from "../base/bytes.ts";
import { INFOHASH_V1_BYTES, INFOHASH_V2_BYTES, type Infohashes } from "../base/infohash.ts";
import { BencodeError } from "../bencode/bencode-error.ts";
import { type BencodeValue, getBytes, isDict } from "../bencode/bencode-value.ts";
import { decode } from "../bencode/decode.ts";
import { dictOf, encode } from "../bencode/encode.ts";
import type { Signatures, SigningKey } from "../ports/signatures.ts";
import type { Dht } from "./dht.ts";
import { signItem } from "./item.ts";
import { type ItemPutResult, putItem } from "./item-search.ts";

/** A publication: the key that signs its versions, and the salt that tells several of one key apart. */
export interface PublicationPlace {
  readonly publicKey: Uint8Array;
  readonly salt: Uint8Array;
}

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

/**
 * Makes a torrent the newest version of a publication (BEP 46). When it is that already, its item is stored again as it
 * is.
 *
 * @param version.sequenceMin - The least sequence number of a new version. A clock serves well: then followers who have
 *   seen an earlier version take this one, although the network has forgotten that version and its number.
 * @returns A function that ends it.
 */
export function publishVersion(
  dht: Dht,
  version: {
    readonly key: SigningKey;
    readonly salt: Uint8Array;
    readonly infohashes: Infohashes;
    readonly sequenceMin: bigint;
    readonly signatures: Signatures;
  },
  onDone: (result: ItemPutResult) => void,
): () => void {
  const { key, salt, signatures, sequenceMin } = version;
  const value = encodePointer(version.infohashes);
  const place = { kind: "mutable", publicKey: key.publicKey, salt } as const;
  return putItem(
    dht,
    {
      place,
      signatures,
      make: (newest) => {
        if (newest?.kind !== "mutable")
          return signItem(key, { value, salt, sequence: sequenceMin });
        if (equalBytes(newest.value, value)) return newest;
        const next = newest.sequence + 1n;
        const sequence = next > sequenceMin ? next : sequenceMin;
        return signItem(key, { value, salt, sequence });
      },
    },
    onDone,
  );
}
