import { decodeUtf8 } from "../base/bytes.ts";
import {
  type BencodeDict,
  type BencodeValue,
  getBytes,
  getDict,
  getInteger,
  isDict,
} from "../bencode/bencode-value.ts";
import { decode } from "../bencode/decode.ts";
import { dictOf, encode } from "../bencode/encode.ts";
import { WireError } from "./wire-error.ts";

/** The id of the extension handshake itself (BEP 10). */
export const EXTENSION_HANDSHAKE_ID = 0;

/** Limits on what a stranger may send (WIR-9). */
const HANDSHAKE_BYTES_MAX = 65_536;
const HANDSHAKE_DEPTH_MAX = 10;
const HANDSHAKE_ITEMS_MAX = 4096;
const NAMES_MAX = 128;
const NAME_CHARACTERS_MAX = 64;
const CLIENT_CHARACTERS_MAX = 64;
const DATAGRAM_BYTES = "everseed_utp";
/** What UDP can carry. */
const DATAGRAM_BYTES_MAX = 65_507;
/** More than any client queues; it keeps sums small. */
const REQUEST_QUEUE_MAX = 65_535;

/** The contents of an extension handshake (BEP 10, 9, 21). A repeated handshake holds only what has changed. */
export interface ExtensionHandshake {
  /** Name of an extension -> the id under which its sender wants to receive it; 0 switches it off. */
  readonly messages: ReadonlyMap<string, number>;
  /** TCP port its sender listens on. */
  readonly listenPort?: number | undefined;
  /** Client and version in words. Escape it for output. */
  readonly client?: string | undefined;
  /** The receiver's address as the sender sees it, 4 or 16 bytes. */
  readonly yourIp?: Uint8Array | undefined;
  /** Other addresses of the sender. */
  readonly ipv4?: Uint8Array | undefined;
  readonly ipv6?: Uint8Array | undefined;
  /** Requests the sender queues without dropping any, at least 1. */
  readonly requestQueue?: number | undefined;
  /** Bytes of the info dictionary (BEP 9), at least 1. A claim, not a fact. */
  readonly metadataSize?: number | undefined;
  /** The sender prefers encrypted streams. */
  readonly prefersEncryption?: boolean | undefined;
  /** The sender wants nothing more: it is a seed or a partial seed (BEP 21). */
  readonly uploadOnly?: boolean | undefined;
  /** The sender reads uTP datagrams of so many bytes that hold several packets. Our own key. */
  readonly datagramBytes?: number | undefined;
}

/** @returns The payload that follows extension id 0. */
export function encodeExtensionHandshake(handshake: ExtensionHandshake): Uint8Array {
  return encode(
    dictOf({
      m: handshake.messages,
      p: handshake.listenPort,
      v: handshake.client,
      e:
        handshake.prefersEncryption === undefined ? undefined : Number(handshake.prefersEncryption),
      yourip: handshake.yourIp,
      ipv4: handshake.ipv4,
      ipv6: handshake.ipv6,
      reqq: handshake.requestQueue,
      metadata_size: handshake.metadataSize,
      upload_only: handshake.uploadOnly === undefined ? undefined : Number(handshake.uploadOnly),
      [DATAGRAM_BYTES]: handshake.datagramBytes,
    }),
  );
}

/**
 * Reads the payload of an extension handshake. A field of the wrong type or out of bounds counts as absent, and the
 * others are kept (WIR-9). The result holds no view of `payload`.
 *
 * @throws {WireError} `bad-extension` when the payload is not a dictionary, or is too long or too deep.
 */
export function decodeExtensionHandshake(payload: Uint8Array): ExtensionHandshake {
  const dict = decodeHandshakeDict(payload);
  return {
    messages: messageIds(getDict(dict, "m")),
    listenPort: integerWithin(dict, "p", 1, 65_535),
    client: clientText(getBytes(dict, "v")),
    yourIp: addressOf(dict, "yourip", [4, 16]),
    ipv4: addressOf(dict, "ipv4", [4]),
    ipv6: addressOf(dict, "ipv6", [16]),
    requestQueue: requestQueue(dict),
    metadataSize: integerWithin(dict, "metadata_size", 1, Number.MAX_SAFE_INTEGER),
    uploadOnly: booleanOf(dict, "upload_only"),
    datagramBytes: integerWithin(dict, DATAGRAM_BYTES, 1, DATAGRAM_BYTES_MAX),
    prefersEncryption: booleanOf(dict, "e"),
  };
}

/**
 * Maps extensions to ids for one connection. Each side has its own table: we send with the remote's ids, and receive
 * with ours.
 */
export class ExtensionTable {
  readonly #ours: readonly string[];
  readonly #theirs = new Map<string, number>();

  /** @param ours - Names of the extensions we want to receive; they get the ids 1, 2, 3... */
  constructor(ours: readonly string[]) {
    this.#ours = ours;
  }

  /** The value for `messages` of our handshake. */
  get offered(): ReadonlyMap<string, number> {
    return new Map(this.#ours.map((name, index) => [name, index + 1]));
  }

  /** @returns The extension that a message with this id belongs to; `undefined` when we did not offer it. */
  nameOf(extensionId: number): string | undefined {
    return this.#ours[extensionId - 1];
  }

  /** @returns The id to send an extension's message with; `undefined` when the remote does not want it. */
  remoteId(name: string): number | undefined {
    return this.#theirs.get(name);
  }

  /** Applies a handshake, also a repeated one: the latest id of each name counts (BEP 10). */
  handleHandshake(handshake: ExtensionHandshake): void {
    for (const [name, id] of handshake.messages) {
      if (id === 0) this.#theirs.delete(name);
      else if (this.#theirs.size < NAMES_MAX || this.#theirs.has(name)) this.#theirs.set(name, id);
    }
  }
}

function decodeHandshakeDict(payload: Uint8Array): BencodeDict {
  let value: BencodeValue;
  try {
    value = decode(payload, {
      bytesMax: HANDSHAKE_BYTES_MAX,
      depthMax: HANDSHAKE_DEPTH_MAX,
      itemsMax: HANDSHAKE_ITEMS_MAX,
      lax: true,
    });
  } catch (cause) {
    throw new WireError("bad-extension", "the handshake is not bencode", { cause });
  }
  if (!isDict(value)) throw new WireError("bad-extension", "the handshake is no dictionary");
  return value;
}

function messageIds(dict: BencodeDict | undefined): Map<string, number> {
  const ids = new Map<string, number>();
  if (!dict) return ids;
  for (const [name, id] of dict) {
    if (ids.size === NAMES_MAX) break;
    if (name.length > NAME_CHARACTERS_MAX || typeof id !== "number") continue;
    if (id >= 0 && id <= 255) ids.set(name, id);
  }
  return ids;
}

function integerWithin(
  dict: BencodeDict,
  key: string,
  least: number,
  most: number,
): number | undefined {
  const value = getInteger(dict, key);
  return value !== undefined && value >= least && value <= most ? value : undefined;
}

/** A peer that queues more than we would ever ask for is not lying: the value is cut, not left out. */
function requestQueue(dict: BencodeDict): number | undefined {
  const value = integerWithin(dict, "reqq", 1, Number.MAX_SAFE_INTEGER);
  return value === undefined ? undefined : Math.min(value, REQUEST_QUEUE_MAX);
}

function booleanOf(dict: BencodeDict, key: string): boolean | undefined {
  const value = getInteger(dict, key);
  return value === undefined ? undefined : value !== 0;
}

function addressOf(
  dict: BencodeDict,
  key: string,
  lengths: readonly number[],
): Uint8Array | undefined {
  const bytes = getBytes(dict, key);
  return bytes && lengths.includes(bytes.length) ? Uint8Array.from(bytes) : undefined;
}

function clientText(bytes: Uint8Array | undefined): string | undefined {
  if (!bytes || bytes.length === 0) return undefined;
  // No character takes more than four bytes, so this is enough to cut by characters without decoding a megabyte.
  const text = decodeUtf8(bytes.subarray(0, CLIENT_CHARACTERS_MAX * 4));
  return [...text].slice(0, CLIENT_CHARACTERS_MAX).join("");
}
