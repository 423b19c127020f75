import { equalBytes, toHex } from "../base/bytes.ts";
import type { Endpoint } from "../base/endpoint.ts";
import { type BencodeDict, getBytes } from "../bencode/bencode-value.ts";
import type { Signatures } from "../ports/signatures.ts";
import { ownerOf } from "./address-shares.ts";
import {
  getSequence,
  isSigned,
  isValue,
  type Item,
  makeImmutable,
  NO_SALT,
  placeOf,
  readSigned,
  SALT_BYTES_MAX,
  targetOf,
  VALUE_BYTES_MAX,
} from "./item.ts";
import { KRPC_ERROR } from "./krpc.ts";
import { compareDistance } from "./node-id.ts";

/** Items that are kept, of at most some 1200 bytes each; the one farthest from our id goes first (DHT-4). */
const ITEMS_MAX = 2000;
/** Items that one address of the world may have brought here. */
const ITEMS_OF_ONE_MAX = 64;
/** An item that nobody has put again for this long is forgotten (BEP 44). */
export const ITEM_MS = 2 * 60 * 60_000;

interface StoredItem {
  readonly item: Item;
  readonly target: Uint8Array;
  readonly broughtBy: string;
  atMs: number;
}

/** Why a `put` is refused, in BEP 44's codes. */
export interface PutRefusal {
  readonly code: number;
  readonly text: string;
}

const REFUSALS = {
  badArguments: { code: KRPC_ERROR.protocol, text: "bad arguments" },
  valueTooBig: { code: KRPC_ERROR.valueTooBig, text: "message (v field) too big" },
  badSignature: { code: KRPC_ERROR.badSignature, text: "invalid signature" },
  saltTooBig: { code: KRPC_ERROR.saltTooBig, text: "salt (salt field) too big" },
  casMismatch: {
    code: KRPC_ERROR.casMismatch,
    text: "the CAS hash mismatched, re-read value and try again",
  },
  sequenceTooLow: { code: KRPC_ERROR.sequenceTooLow, text: "sequence number less than current" },
  full: { code: KRPC_ERROR.generic, text: "no room" },
} as const satisfies Record<string, PutRefusal>;

/** Items that others put here (BEP 44). Everything in it is bounded. */
export class ItemStore {
  readonly #signatures: Signatures;
  readonly #items = new Map<string, StoredItem>();
  readonly #broughtBy = new Map<string, number>();

  constructor(signatures: Signatures) {
    this.#signatures = signatures;
  }

  get size(): number {
    return this.#items.size;
  }

  get(target: Uint8Array, now: number): Item | undefined {
    const stored = this.#items.get(toHex(target));
    return stored && now - stored.atMs < ITEM_MS ? stored.item : undefined;
  }

  /**
   * Takes a `put`, whose token is checked already.
   *
   * @param ownId - The nearer a target is to it, the more likely we are asked for it.
   * @returns Why it is refused; `undefined` when it is stored.
   */
  put(
    args: BencodeDict,
    from: { readonly endpoint: Endpoint; readonly ownId: Uint8Array },
    now: number,
  ): PutRefusal | undefined {
    const item = this.#read(args);
    if (!("kind" in item)) return item;
    const target = targetOf(placeOf(item));
    const key = toHex(target);
    const stored = this.#items.get(key);
    const known = stored && now - stored.atMs < ITEM_MS ? stored : undefined;
    const conflict = known && judgeVersion(known.item, item, args);
    if (conflict) return conflict;
    // The same version again: it lives longer.
    if (known && isSameVersion(known.item, item)) {
      known.atMs = now;
      return undefined;
    }
    if (stored) this.#remove(key, stored);
    return this.#add(key, { item, target, atMs: now }, from, now);
  }

  /** Forgets items that nobody puts again. */
  expire(now: number): void {
    for (const [key, stored] of this.#items) {
      if (now - stored.atMs >= ITEM_MS) this.#remove(key, stored);
    }
  }

  #read(args: BencodeDict): Item | PutRefusal {
    const value = getBytes(args, "v");
    if (!value) return REFUSALS.badArguments;
    if (value.length > VALUE_BYTES_MAX) return REFUSALS.valueTooBig;
    if (!isValue(value)) return REFUSALS.badArguments;
    if (!args.has("k")) return makeImmutable(Uint8Array.from(value));
    const salt = args.has("salt") ? getBytes(args, "salt") : NO_SALT;
    if (!salt) return REFUSALS.badArguments;
    if (salt.length > SALT_BYTES_MAX) return REFUSALS.saltTooBig;
    const item = readSigned(args, value, salt);
    if (!item) return REFUSALS.badArguments;
    return isSigned(item, this.#signatures) ? item : REFUSALS.badSignature;
  }

  #add(
    key: string,
    stored: Omit<StoredItem, "broughtBy">,
    from: { readonly endpoint: Endpoint; readonly ownId: Uint8Array },
    now: number,
  ): PutRefusal | undefined {
    const { place, network } = ownerOf({ ...from.endpoint, port: 0 });
    const brought = this.#broughtBy.get(place) ?? 0;
    if (network !== undefined && brought >= ITEMS_OF_ONE_MAX) return REFUSALS.full;
    if (this.#items.size >= ITEMS_MAX) this.expire(now);
    if (this.#items.size >= ITEMS_MAX && !this.#makeRoom(stored.target, from.ownId)) {
      return REFUSALS.full;
    }
    this.#items.set(key, { ...stored, broughtBy: place });
    this.#broughtBy.set(place, brought + 1);
    return undefined;
  }

  /** Forgets the item that is farthest from us, unless the new one is farther. */
  #makeRoom(target: Uint8Array, ownId: Uint8Array): boolean {
    let farthest: StoredItem | undefined;
    for (const stored of this.#items.values()) {
      if (!farthest || compareDistance(ownId, farthest.target, stored.target) < 0)
        farthest = stored;
    }
    if (!farthest || compareDistance(ownId, farthest.target, target) <= 0) return false;
    this.#remove(toHex(farthest.target), farthest);
    return true;
  }

  #remove(key: string, { broughtBy }: StoredItem): void {
    this.#items.delete(key);
    const left = (this.#broughtBy.get(broughtBy) ?? 1) - 1;
    if (left > 0) this.#broughtBy.set(broughtBy, left);
    else this.#broughtBy.delete(broughtBy);
  }
}

/** Compares a new version with the one that is stored (BEP 44): the sequence number grows, and `cas` names the stored one. */
function judgeVersion(known: Item, item: Item, args: BencodeDict): PutRefusal | undefined {
  if (known.kind === "immutable" || item.kind === "immutable") return undefined;
  if (args.has("cas") && getSequence(args, "cas") !== known.sequence) return REFUSALS.casMismatch;
  if (item.sequence < known.sequence) return REFUSALS.sequenceTooLow;
  const isOther = !equalBytes(item.value, known.value);
  return item.sequence === known.sequence && isOther ? REFUSALS.sequenceTooLow : undefined;
}

function isSameVersion(known: Item, item: Item): boolean {
  if (known.kind === "immutable" || item.kind === "immutable") return true;
  return known.sequence === item.sequence;
}
