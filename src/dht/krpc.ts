import { decodeUtf8, toLatin1 } from "../base/bytes.ts";
import { decodeCompact, type Endpoint } from "../base/endpoint.ts";
import { BencodeError } from "../bencode/bencode-error.ts";
import {
  type BencodeDict,
  type BencodeValue,
  getBytes,
  getDict,
  getInteger,
  getList,
  isBytes,
  isDict,
} from "../bencode/bencode-value.ts";
import { decodePrefix } from "../bencode/decode.ts";
import { DhtError } from "./dht-error.ts";
import { NODE_ID_BYTES } from "./node-id.ts";

/** A longer packet is not read (BEP 32 asks to send at most 1024, and others send up to a whole Ethernet frame). */
export const PACKET_BYTES_MAX = 1500;
/** A longer transaction id is not echoed (DHT-5). */
export const TRANSACTION_BYTES_MAX = 16;
/** Values within one packet; more would be nothing but a burden. */
const ITEMS_MAX = 1000;
const DEPTH_MAX = 64;
const METHOD_BYTES_MAX = 32;
const ERROR_TEXT_BYTES_MAX = 256;

/** What nodes refuse (BEP 5, 44). */
export const KRPC_ERROR = {
  generic: 201,
  protocol: 203,
  unknownMethod: 204,
  valueTooBig: 205,
  badSignature: 206,
  saltTooBig: 207,
  casMismatch: 301,
  sequenceTooLow: 302,
} as const;

/** One packet of BEP 5. `v` in `args` and `results` holds the encoded bytes of the value, because signatures cover them. */
export type KrpcMessage = KrpcQuery | KrpcReply | KrpcFailure;

export interface KrpcQuery {
  readonly kind: "query";
  readonly transaction: Uint8Array;
  readonly method: string;
  /** Of the node that asks. */
  readonly id: Uint8Array;
  readonly args: BencodeDict;
  /** It asks and never answers (BEP 43). */
  readonly readOnly: boolean;
}

export interface KrpcReply {
  readonly kind: "reply";
  readonly transaction: Uint8Array;
  /** Of the node that answers. */
  readonly id: Uint8Array;
  readonly results: BencodeDict;
  /** Where the node saw our packet come from (BEP 42). */
  readonly outer: Endpoint | undefined;
}

export interface KrpcFailure {
  readonly kind: "failure";
  readonly transaction: Uint8Array;
  readonly code: number;
  readonly text: string;
}

/** Values that stay encoded. The version of a client has the same key, and nobody reads it. */
const RAW = new Set(["v"]);

/**
 * Reads one packet. Keys may come in any order, and bytes may follow, as libtorrent has it; everything else is strict.
 *
 * @param packet - The result aliases it.
 * @throws {DhtError} `malformed`.
 */
export function decodeKrpc(packet: Uint8Array): KrpcMessage {
  if (packet.length > PACKET_BYTES_MAX) throw malformed(`${packet.length} bytes`);
  const message = decodeDict(packet);
  const transaction = getBytes(message, "t");
  if (!transaction || transaction.length === 0) throw malformed("no transaction id");
  if (transaction.length > TRANSACTION_BYTES_MAX) throw malformed("a long transaction id");
  const kind = getBytes(message, "y");
  switch (kind && toLatin1(kind)) {
    case "q":
      return readQuery(message, transaction);
    case "r":
      return readReply(message, transaction);
    case "e":
      return readFailure(message, transaction);
    default:
      throw malformed("neither query, reply nor error");
  }
}

/**
 * Tells whether the last key says that this is a reply or a failure: `1:y1:re`, `1:y1:ee`. An answer that ends otherwise,
 * because its keys are in no order, counts as a query until it is read.
 */
export function endsAsAnswer(packet: Uint8Array): boolean {
  const end = packet.length;
  const kind = packet[end - 2];
  return (
    end > 7 &&
    (kind === 0x72 || kind === 0x65) &&
    packet[end - 6] === 0x3a &&
    packet[end - 5] === 0x79 &&
    packet[end - 4] === 0x31 &&
    packet[end - 3] === 0x3a
  );
}

function decodeDict(packet: Uint8Array): BencodeDict {
  let value: BencodeValue;
  try {
    const limits = { depthMax: DEPTH_MAX, itemsMax: ITEMS_MAX };
    value = decodePrefix(packet, { lax: true, raw: RAW, ...limits }).value;
  } catch (error) {
    if (error instanceof BencodeError) throw malformed("no bencode", { cause: error });
    throw error;
  }
  if (!isDict(value)) throw malformed("no dictionary");
  return value;
}

function readQuery(message: BencodeDict, transaction: Uint8Array): KrpcQuery {
  const method = getBytes(message, "q");
  const args = getDict(message, "a");
  if (!method || method.length > METHOD_BYTES_MAX || !args) throw malformed("no method");
  const readOnly = (getInteger(message, "ro") ?? 0) !== 0;
  const id = readId(args);
  return { kind: "query", transaction, method: toLatin1(method), id, args, readOnly };
}

function readReply(message: BencodeDict, transaction: Uint8Array): KrpcReply {
  const results = getDict(message, "r");
  if (!results) throw malformed("no results");
  const ip = getBytes(message, "ip");
  const outer = ip && (ip.length === 6 || ip.length === 18) ? ip : undefined;
  return {
    kind: "reply",
    transaction,
    id: readId(results),
    results,
    outer: outer && decodeCompact(outer, outer.length as 6 | 18)[0],
  };
}

function readFailure(message: BencodeDict, transaction: Uint8Array): KrpcFailure {
  const [code, text] = getList(message, "e") ?? [];
  return {
    kind: "failure",
    transaction,
    code: typeof code === "number" ? code : KRPC_ERROR.generic,
    text: isBytes(text) ? decodeUtf8(text.subarray(0, ERROR_TEXT_BYTES_MAX)) : "",
  };
}

function readId(dict: BencodeDict): Uint8Array {
  const id = getBytes(dict, "id");
  if (id?.length !== NODE_ID_BYTES) throw malformed("no node id");
  return id;
}

function malformed(detail: string, options?: ErrorOptions): DhtError {
  return new DhtError("malformed", detail, options);
}
