import { addressBytes, type Endpoint, formatAddress } from "../base/endpoint.ts";
import { BencodeError } from "../bencode/bencode-error.ts";
import { type BencodeDict, type BencodeValue, getBytes, isDict } from "../bencode/bencode-value.ts";
import { decode } from "../bencode/decode.ts";
import { dictOf, encode, type Encodable } from "../bencode/encode.ts";
import {
  type Contact,
  decodeContacts,
  encodeContacts,
  endpointKey,
  FAMILIES,
  type Family,
} from "./contact.ts";
import { DhtError } from "./dht-error.ts";
import { NODE_ID_BYTES } from "./node-id.ts";

/** Nodes that are kept over a restart, of each family. */
export const SAVED_NODES_MAX = 200;

/** What is kept of one family. */
export interface SavedNode {
  readonly id: Uint8Array;
  /** Our address as others saw it; text. */
  readonly outer: string | undefined;
  /** Nodes that answered, the latest first. */
  readonly contacts: readonly Contact[];
}

export type SavedState = ReadonlyMap<Family, SavedNode>;

export function encodeState(state: SavedState): Uint8Array {
  const dict = new Map<string, Encodable>();
  for (const [family, { id, outer, contacts }] of state) {
    const kept = contacts.slice(0, SAVED_NODES_MAX);
    const fields = { id, outer: outer === undefined ? undefined : addressBytes(outer) };
    dict.set(`ipv${family}`, dictOf({ ...fields, nodes: encodeContacts(kept, family) }));
  }
  return encode(dict);
}

/** @throws {DhtError} `bad-state` when the bytes are not what `encodeState` makes. */
export function decodeState(bytes: Uint8Array): SavedState {
  const dict = decodeDict(bytes);
  const state = new Map<Family, SavedNode>();
  for (const family of FAMILIES) {
    const saved = dict.get(`ipv${family}`);
    if (!saved) continue;
    if (!isDict(saved)) throw badState("a family is no dictionary");
    state.set(family, readNode(saved, family));
  }
  return state;
}

/** @returns The newer state, with nodes of the older one behind its own: a short run forgets no nodes. */
export function mergeStates(newer: SavedState, older: SavedState): SavedState {
  const merged = new Map(older);
  for (const [family, node] of newer) {
    const known = new Set(node.contacts.map(({ endpoint }) => endpointKey(endpoint)));
    const others = (older.get(family)?.contacts ?? []).filter(
      ({ endpoint }) => !known.has(endpointKey(endpoint)),
    );
    merged.set(family, { ...node, contacts: [...node.contacts, ...others] });
  }
  return merged;
}

/** Endpoints to begin with. */
export function endpointsOf({ contacts }: SavedNode): Endpoint[] {
  return contacts.map(({ endpoint }) => endpoint);
}

function readNode(dict: BencodeDict, family: Family): SavedNode {
  const id = getBytes(dict, "id");
  const nodes = getBytes(dict, "nodes");
  const outer = getBytes(dict, "outer");
  if (id?.length !== NODE_ID_BYTES || !nodes) throw badState("an id or nodes are missing");
  if (outer && outer.length !== 4 && outer.length !== 16) throw badState("an address of no length");
  return {
    id: Uint8Array.from(id),
    outer: outer && formatAddress(outer),
    contacts: decodeContacts(nodes, family, SAVED_NODES_MAX),
  };
}

function decodeDict(bytes: Uint8Array): BencodeDict {
  let value: BencodeValue;
  try {
    value = decode(bytes);
  } catch (error) {
    if (error instanceof BencodeError) throw badState("no bencode", { cause: error });
    throw error;
  }
  if (!isDict(value)) throw badState("no dictionary");
  return value;
}

function badState(detail: string, options?: ErrorOptions): DhtError {
  return new DhtError("bad-state", detail, options);
}
