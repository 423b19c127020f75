import type { Endpoint } from "../base/endpoint.ts";
import type { Signatures } from "../ports/signatures.ts";
import { endpointKey } from "./contact.ts";
import type { Dht, Found } from "./dht.ts";
import type { KrpcFields } from "./encode-krpc.ts";
import { getSequence, type Item, type ItemPlace, readItem, targetOf } from "./item.ts";
import { KRPC_ERROR } from "./krpc.ts";
import { storeAt, type StoreResult } from "./peer-search.ts";

export interface ItemSearchResult {
  /** The newest version that proves itself. */
  readonly item: Item | undefined;
  /** Nodes that have this version. */
  readonly copies: number;
  /** Nodes that answered at all; 0 when none could be reached. */
  readonly replies: number;
}

/** Finds an item (BEP 44); of a mutable one the newest version. @returns A function that ends it. */
export function getItem(
  dht: Dht,
  search: { readonly place: ItemPlace; readonly signatures: Signatures },
  onDone: (result: ItemSearchResult) => void,
): () => void {
  const isEnough = search.place.kind === "immutable";
  return collect(dht, search, isEnough, (collected) =>
    onDone({
      item: collected.newest,
      copies: collected.holders.size,
      replies: collected.replies,
    }),
  );
}

export interface ItemPut {
  readonly place: ItemPlace;
  readonly signatures: Signatures;
  /**
   * Makes what is to be stored.
   *
   * @param newest - What the network has; `undefined` when it has nothing.
   * @returns `undefined` to store nothing.
   */
  readonly make: (newest: Item | undefined) => Item | undefined;
  /** Stored only where the newest version is this one (BEP 44), so that nobody else's is lost. */
  readonly cas?: bigint | undefined;
}

export interface ItemPutResult extends StoreResult {
  readonly item: Item | undefined;
  readonly replies: number;
}

/** Looks an item up and stores a version of it at the nodes closest to it (BEP 44). @returns A function that ends it. */
export function putItem(
  dht: Dht,
  put: ItemPut,
  onDone: (result: ItemPutResult) => void,
): () => void {
  return collect(dht, put, false, (collected) => {
    const { newest, replies } = collected;
    if (put.cas !== undefined && newest?.kind === "mutable" && newest.sequence !== put.cas) {
      // Nodes that have nothing yet would take it, and the network would hold both.
      const refusals = new Map([[KRPC_ERROR.casMismatch, `the newest is ${newest.sequence}`]]);
      onDone({ item: undefined, replies, stored: 0, refusals });
      return;
    }
    const item = put.make(newest);
    if (!item) {
      onDone({ item, replies, stored: 0, refusals: new Map() });
      return;
    }
    const argsFor = (to: Endpoint): KrpcFields => {
      const has = collected.sequences.has(endpointKey(to));
      return { ...itemArgs(item), cas: has ? put.cas : undefined };
    };
    storeAt(dht, collected.found, { method: "put", argsFor }, (result) =>
      onDone({ item, replies, ...result }),
    );
  });
}

/**
 * Stores an item again as it is, so that it lives on; that needs no secret key (BEP 44). When the network has a newer
 * version, that one is stored.
 *
 * @returns A function that ends it.
 */
export function keepItem(
  dht: Dht,
  keep: { readonly item: Item; readonly place: ItemPlace; readonly signatures: Signatures },
  onDone: (result: ItemPutResult) => void,
): () => void {
  const make = (newest: Item | undefined): Item => newerOf(keep.item, newest);
  return putItem(dht, { ...keep, make }, onDone);
}

/** The version with the larger sequence number; `item` when they are equal. */
export function newerOf(item: Item, other: Item | undefined): Item {
  if (other?.kind !== "mutable" || item.kind !== "mutable") return item;
  return other.sequence > item.sequence ? other : item;
}

interface Collected {
  newest: Item | undefined;
  /** Nodes that have the newest version. */
  readonly holders: Set<string>;
  /** Nodes that have any version. */
  readonly sequences: Set<string>;
  replies: number;
  found: readonly Found[];
}

function collect(
  dht: Dht,
  search: { readonly place: ItemPlace; readonly signatures: Signatures },
  isFirstEnough: boolean,
  onDone: (collected: Collected) => void,
): () => void {
  const { place, signatures } = search;
  const collected: Collected = {
    newest: undefined,
    holders: new Set(),
    sequences: new Set(),
    replies: 0,
    found: [],
  };
  return dht.search({
    target: targetOf(place),
    method: "get",
    args: {},
    onReply: ({ results, from }) => {
      const key = endpointKey(from.endpoint);
      collected.replies += 1;
      if (getSequence(results, "seq") !== undefined) collected.sequences.add(key);
      const item = readItem(results, place, signatures);
      if (item) take(collected, item, key);
      return item !== undefined && isFirstEnough;
    },
    onDone: (found) => onDone({ ...collected, found }),
  });
}

function take(collected: Collected, item: Item, key: string): void {
  const { newest, holders } = collected;
  const isNewer = newest === undefined || newerOf(newest, item) !== newest;
  if (isNewer) {
    collected.newest = item;
    holders.clear();
  }
  if (isNewer || isSameVersion(newest, item)) holders.add(key);
}

function isSameVersion(a: Item, b: Item): boolean {
  if (a.kind !== "mutable" || b.kind !== "mutable") return true;
  return a.sequence === b.sequence;
}

function itemArgs(item: Item): KrpcFields {
  if (item.kind === "immutable") return { v: item.value };
  const { value, publicKey, salt, sequence, signature } = item;
  return {
    k: publicKey,
    salt: salt.length > 0 ? salt : undefined,
    seq: sequence,
    sig: signature,
    v: value,
  };
}
