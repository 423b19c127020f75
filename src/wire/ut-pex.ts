import { concatBytes } from "../base/bytes.ts";
import {
  COMPACT_IPV4_BYTES,
  COMPACT_IPV6_BYTES,
  decodeCompact,
  encodeCompact,
  type Endpoint,
} from "../base/endpoint.ts";
import { type BencodeDict, type BencodeValue, getBytes, isDict } from "../bencode/bencode-value.ts";
import { decode } from "../bencode/decode.ts";
import { dictOf, encode } from "../bencode/encode.ts";
import { WireError } from "./wire-error.ts";

export const UT_PEX = "ut_pex";

/** Peers added in one message, and peers dropped in it, both families together (BEP 11). */
export const PEX_ENTRIES_MAX = 50;

/** What is known of a named peer, one bit each. */
export const PEX_FLAG = {
  prefersEncryption: 0x01,
  /** A seed, or a peer that wants nothing more. */
  seed: 0x02,
  utp: 0x04,
  holepunch: 0x08,
  /** Whoever names it has dialled it. */
  reachable: 0x10,
} as const;

/** Limits on what a stranger may send (WIR-11). libtorrent sends up to 100 peers at first. */
const BYTES_MAX = 16 * 1024;
const DEPTH_MAX = 4;
const ITEMS_MAX = 64;
const READ_MAX = 100;

export interface PexPeer {
  readonly endpoint: Endpoint;
  /** Bits of `PEX_FLAG`; others may be set too. */
  readonly flags: number;
}

/** Whom the sender is connected to now and was not, or was and is not, since its last message. */
export interface PexMessage {
  readonly added: readonly PexPeer[];
  readonly dropped: readonly Endpoint[];
}

/** @param message - Each list holds at most `PEX_ENTRIES_MAX`. */
export function encodePex({ added, dropped }: PexMessage): Uint8Array {
  const [added4, added6] = byFamily(added, ({ endpoint }) => endpoint);
  const [dropped4, dropped6] = byFamily(dropped, (endpoint) => endpoint);
  return encode(
    dictOf({
      added: compact(added4.map(({ endpoint }) => endpoint)),
      "added.f": flagsOf(added4),
      added6: compact(added6.map(({ endpoint }) => endpoint)),
      "added6.f": flagsOf(added6),
      dropped: compact(dropped4),
      dropped6: compact(dropped6),
    }),
  );
}

/**
 * Reads a message. Lists of the wrong type count as absent; of longer lists the first 100 entries count.
 *
 * @throws {WireError} `bad-extension` when the payload is no dictionary, or is too long or too deep.
 */
export function decodePex(payload: Uint8Array): PexMessage {
  const dict = decodeDict(payload);
  return {
    added: [
      ...flagged(dict, "added", COMPACT_IPV4_BYTES),
      ...flagged(dict, "added6", COMPACT_IPV6_BYTES),
    ].slice(0, READ_MAX),
    dropped: [
      ...entries(dict, "dropped", COMPACT_IPV4_BYTES),
      ...entries(dict, "dropped6", COMPACT_IPV6_BYTES),
    ]
      .flatMap(({ endpoint }) => endpoint ?? [])
      .slice(0, READ_MAX),
  };
}

function decodeDict(payload: Uint8Array): BencodeDict {
  let value: BencodeValue;
  try {
    value = decode(payload, {
      bytesMax: BYTES_MAX,
      depthMax: DEPTH_MAX,
      itemsMax: ITEMS_MAX,
      lax: true,
    });
  } catch (cause) {
    throw new WireError("bad-extension", "the list of peers is not bencode", { cause });
  }
  if (!isDict(value)) throw new WireError("bad-extension", "the list of peers is no dictionary");
  return value;
}

function flagged(dict: BencodeDict, key: string, entryBytes: 6 | 18): PexPeer[] {
  const flags = getBytes(dict, `${key}.f`);
  return entries(dict, key, entryBytes).flatMap(({ endpoint, index }) =>
    endpoint ? [{ endpoint, flags: flags?.[index] ?? 0 }] : [],
  );
}

/** Each entry on its own, so that one with port 0, which is left out, moves no flags. */
function entries(
  dict: BencodeDict,
  key: string,
  entryBytes: 6 | 18,
): { readonly endpoint: Endpoint | undefined; readonly index: number }[] {
  const bytes = getBytes(dict, key);
  if (!bytes) return [];
  const count = Math.min(Math.floor(bytes.length / entryBytes), READ_MAX);
  return Array.from({ length: count }, (_, index) => {
    const entry = bytes.subarray(index * entryBytes, (index + 1) * entryBytes);
    return { endpoint: decodeCompact(entry, entryBytes)[0], index };
  });
}

function byFamily<Item>(
  items: readonly Item[],
  endpointOf: (item: Item) => Endpoint,
): readonly [ipv4: Item[], ipv6: Item[]] {
  const isIpv6 = (item: Item): boolean => endpointOf(item).address.includes(":");
  return [items.filter((item) => !isIpv6(item)), items.filter(isIpv6)];
}

/** @returns `undefined` for no entries: the key is then left out. */
function compact(endpoints: readonly Endpoint[]): Uint8Array | undefined {
  return endpoints.length > 0 ? concatBytes(endpoints.map(encodeCompact)) : undefined;
}

function flagsOf(peers: readonly PexPeer[]): Uint8Array | undefined {
  return peers.length > 0 ? Uint8Array.from(peers, ({ flags }) => flags) : undefined;
}
