import { concatBytes, fromLatin1 } from "../base/bytes.ts";
import { encodeCompact, type Endpoint } from "../base/endpoint.ts";
import { dictOf, encode, type Encodable } from "../bencode/encode.ts";

/** We send at most this (BEP 32), so that no packet is split on its way. */
export const SENT_BYTES_MAX = 1024;

/** `EV` and the version (BEP 5, `v`). */
const VERSION = Uint8Array.of(0x45, 0x56, 0, 1);

/** The arguments of a query or the results of a reply. `v` holds bytes that are encoded already, which are signed. */
export type KrpcFields = Readonly<Record<string, Encodable | undefined>> & {
  readonly v?: Uint8Array | undefined;
};

export function encodeQuery(query: {
  readonly transaction: Uint8Array;
  readonly method: string;
  readonly args: KrpcFields;
  readonly readOnly: boolean;
}): Uint8Array {
  const { transaction, method, readOnly } = query;
  const tail = dictOf({
    q: method,
    ro: readOnly ? 1 : undefined,
    t: transaction,
    v: VERSION,
    y: "q",
  });
  return surround("1:a", encodeFields(query.args), tail);
}

/** @param reply.to - Where the query came from, which the other side learns its own address by (BEP 42). */
export function encodeReply(reply: {
  readonly transaction: Uint8Array;
  readonly results: KrpcFields;
  readonly to: Endpoint;
}): Uint8Array {
  const { transaction, results, to } = reply;
  const head = dictOf({ ip: encodeCompact(to) });
  const tail = dictOf({ t: transaction, v: VERSION, y: "r" });
  return surround("1:r", encodeFields(results), tail, head);
}

export function encodeFailure(failure: {
  readonly transaction: Uint8Array;
  readonly code: number;
  readonly text: string;
}): Uint8Array {
  const { transaction, code, text } = failure;
  return encode(dictOf({ e: [code, text], t: transaction, v: VERSION, y: "e" }));
}

/** One dictionary of `head`, an encoded member, and `tail`; their keys follow each other in this order. */
function surround(
  key: string,
  value: Uint8Array,
  tail: ReadonlyMap<string, Encodable>,
  head: ReadonlyMap<string, Encodable> = new Map(),
): Uint8Array {
  // The encoded head without its end, and the encoded tail without its beginning.
  return concatBytes([
    encode(head).subarray(0, -1),
    fromLatin1(key),
    value,
    encode(tail).subarray(1),
  ]);
}

function encodeFields(fields: KrpcFields): Uint8Array {
  const { v, ...others } = fields;
  const encoded = encode(dictOf(others));
  if (!v) return encoded;
  // `v` is the last key of every message that has one.
  return concatBytes([encoded.subarray(0, -1), fromLatin1("1:v"), v, fromLatin1("e")]);
}
