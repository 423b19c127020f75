import { concatBytes } from "../base/bytes.ts";
import { BLOCK_BYTES } from "../base/geometry.ts";
import { type BencodeValue, getInteger, isDict } from "../bencode/bencode-value.ts";
import { decodePrefix } from "../bencode/decode.ts";
import { dictOf, encode } from "../bencode/encode.ts";
import { WireError } from "./wire-error.ts";

/** The extension's name in `m` (BEP 9). */
export const UT_METADATA = "ut_metadata";

/** Far more than an honest dictionary needs: it has three integers. */
const DICT_DEPTH_MAX = 10;
const DICT_ITEMS_MAX = 256;

const REQUEST = 0;
const DATA = 1;
const REJECT = 2;

/** A message about one block of 16 KiB of the info dictionary's bytes. */
export type MetadataMessage =
  | { readonly kind: "request"; readonly index: number }
  | {
      readonly kind: "data";
      readonly index: number;
      /** Bytes of the whole dictionary, as this peer claims. */
      readonly totalSize: number;
      /** A view of the payload. */
      readonly block: Uint8Array;
    }
  | { readonly kind: "reject"; readonly index: number };

export function encodeMetadataRequest(index: number): Uint8Array {
  return encode(dictOf({ msg_type: REQUEST, piece: index }));
}

export function encodeMetadataReject(index: number): Uint8Array {
  return encode(dictOf({ msg_type: REJECT, piece: index }));
}

export function encodeMetadataData(
  index: number,
  totalSize: number,
  block: Uint8Array,
): Uint8Array {
  const dict = encode(dictOf({ msg_type: DATA, piece: index, total_size: totalSize }));
  return concatBytes([dict, block]);
}

/**
 * Reads the payload of a ut_metadata message.
 *
 * @returns `undefined` for a message type unknown to BEP 9, which must be ignored.
 * @throws {WireError} `bad-extension`, also when the block does not have the length of its index.
 */
export function decodeMetadataMessage(payload: Uint8Array): MetadataMessage | undefined {
  const { value, end } = decodeDict(payload);
  if (!isDict(value)) throw new WireError("bad-extension", "ut_metadata without a dictionary");
  const type = getInteger(value, "msg_type");
  const index = getInteger(value, "piece");
  if (type === undefined) throw new WireError("bad-extension", "ut_metadata without msg_type");
  if (type !== REQUEST && type !== DATA && type !== REJECT) return undefined;
  if (index === undefined || index < 0) {
    throw new WireError("bad-extension", "ut_metadata without a block's index");
  }
  if (type === REQUEST) return { kind: "request", index };
  if (type === REJECT) return { kind: "reject", index };
  const totalSize = getInteger(value, "total_size");
  const block = payload.subarray(end);
  if (totalSize === undefined || block.length !== metadataBlockSize(totalSize, index)) {
    throw new WireError("bad-extension", `ut_metadata block ${index} of ${block.length} bytes`);
  }
  return { kind: "data", index, totalSize, block };
}

/** Blocks of an info dictionary of `totalSize` bytes. */
export function metadataBlockCount(totalSize: number): number {
  return Math.ceil(totalSize / BLOCK_BYTES);
}

/** Bytes of one block; 0 or less past the end. */
function metadataBlockSize(totalSize: number, index: number): number {
  return Math.min(BLOCK_BYTES, totalSize - index * BLOCK_BYTES);
}

/** Answers one peer's requests: twice the whole dictionary, then it rejects (WIR-10). */
export class MetadataServer {
  readonly #infoBytes: Uint8Array;
  #blocksLeft: number;

  /** @param infoBytes - Verified bytes: nothing else may be served. */
  constructor(infoBytes: Uint8Array) {
    this.#infoBytes = infoBytes;
    this.#blocksLeft = 2 * metadataBlockCount(infoBytes.length);
  }

  /** @returns The payload to send: the block, or a reject. */
  answer(index: number): Uint8Array {
    const info = this.#infoBytes;
    if (this.#blocksLeft === 0 || index >= metadataBlockCount(info.length)) {
      return encodeMetadataReject(index);
    }
    this.#blocksLeft -= 1;
    const start = index * BLOCK_BYTES;
    return encodeMetadataData(index, info.length, info.subarray(start, start + BLOCK_BYTES));
  }
}

function decodeDict(payload: Uint8Array): { value: BencodeValue; end: number } {
  try {
    return decodePrefix(payload, {
      depthMax: DICT_DEPTH_MAX,
      itemsMax: DICT_ITEMS_MAX,
      lax: true,
    });
  } catch (cause) {
    throw new WireError("bad-extension", "ut_metadata is not bencode", { cause });
  }
}
