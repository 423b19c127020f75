import { concatBytes, encodeUtf8, equalBytes } from "../base/bytes.ts";
import { sha1 } from "../base/hash.ts";
import { BencodeError } from "../bencode/bencode-error.ts";
import { type BencodeDict, getBytes } from "../bencode/bencode-value.ts";
import { decode } from "../bencode/decode.ts";
import { encode } from "../bencode/encode.ts";
import type { Signatures, SigningKey } from "../ports/signatures.ts";
import { DhtError } from "./dht-error.ts";

/** Bytes of an encoded value, and of a salt (BEP 44). */
export const VALUE_BYTES_MAX = 1000;
export const SALT_BYTES_MAX = 64;
export const PUBLIC_KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;
const SEQUENCE_MAX = 2n ** 63n - 1n;

/** A value that its own hash finds (BEP 44). */
export interface ImmutableItem {
  readonly kind: "immutable";
  /** Bencoded. */
  readonly value: Uint8Array;
}

/** A value that a key signs, and may replace (BEP 44). */
export interface MutableItem {
  readonly kind: "mutable";
  /** Bencoded. */
  readonly value: Uint8Array;
  readonly publicKey: Uint8Array;
  /** Tells several items of one key apart; empty for none. */
  readonly salt: Uint8Array;
  readonly sequence: bigint;
  readonly signature: Uint8Array;
}

export type Item = ImmutableItem | MutableItem;

/** Where an item is found: what to look up, and for a mutable item what proves it. */
export type ItemPlace =
  | { readonly kind: "immutable"; readonly target: Uint8Array }
  | { readonly kind: "mutable"; readonly publicKey: Uint8Array; readonly salt: Uint8Array };

export const NO_SALT = new Uint8Array(0);

/** @returns 20 bytes: what nodes are asked for. */
export function targetOf(place: ItemPlace): Uint8Array {
  return place.kind === "immutable"
    ? place.target
    : sha1(concatBytes([place.publicKey, place.salt]));
}

export function placeOf(item: Item): ItemPlace {
  if (item.kind === "immutable") return { kind: "immutable", target: sha1(item.value) };
  return { kind: "mutable", publicKey: item.publicKey, salt: item.salt };
}

/** @throws {DhtError} `bad-item` when the value is too long or not bencoded. */
export function makeImmutable(value: Uint8Array): ImmutableItem {
  checkValue(value);
  return { kind: "immutable", value };
}

/**
 * Makes and signs a version of a mutable item.
 *
 * @param version.sequence - Larger than that of the version before.
 * @throws {DhtError} `bad-item` when the value or the salt is too long, the value is not bencoded, or the sequence number
 * is none.
 */
export function signItem(
  key: SigningKey,
  version: { readonly value: Uint8Array; readonly salt: Uint8Array; readonly sequence: bigint },
): MutableItem {
  const { value, salt, sequence } = version;
  checkValue(value);
  if (salt.length > SALT_BYTES_MAX) throw badItem(`a salt of ${salt.length} bytes`);
  if (!isSequence(sequence)) throw badItem(`sequence number ${sequence}`);
  const signature = key.sign(signedBytes(version));
  return { kind: "mutable", publicKey: key.publicKey, ...version, signature };
}

/** Tells whether the key made the item as it stands. */
export function isSigned(item: MutableItem, signatures: Signatures): boolean {
  const { publicKey, signature } = item;
  return signatures.verify(signedBytes(item), { publicKey, signature });
}

/**
 * Reads an item out of a reply to `get` and proves it: by its hash, or by its signature.
 *
 * @returns `undefined` when there is none, or none that proves itself; copies otherwise.
 */
export function readItem(
  results: BencodeDict,
  place: ItemPlace,
  signatures: Signatures,
): Item | undefined {
  const value = getBytes(results, "v");
  if (!value || !isValue(value)) return undefined;
  if (place.kind === "immutable") {
    if (!equalBytes(sha1(value), place.target)) return undefined;
    return { kind: "immutable", value: Uint8Array.from(value) };
  }
  const item = readSigned(results, value, place.salt);
  if (!item || !equalBytes(item.publicKey, place.publicKey)) return undefined;
  return isSigned(item, signatures) ? item : undefined;
}

/** Reads `k`, `seq` and `sig`. @returns `undefined` when one of them is missing; copies otherwise. */
export function readSigned(
  fields: BencodeDict,
  value: Uint8Array,
  salt: Uint8Array,
): MutableItem | undefined {
  const publicKey = getBytes(fields, "k");
  const signature = getBytes(fields, "sig");
  const sequence = getSequence(fields, "seq");
  if (publicKey?.length !== PUBLIC_KEY_BYTES || signature?.length !== SIGNATURE_BYTES) {
    return undefined;
  }
  if (sequence === undefined) return undefined;
  return {
    kind: "mutable",
    value: Uint8Array.from(value),
    publicKey: Uint8Array.from(publicKey),
    salt: Uint8Array.from(salt),
    sequence,
    signature: Uint8Array.from(signature),
  };
}

/** @returns `undefined` when the field is missing or no sequence number. */
export function getSequence(fields: BencodeDict, key: string): bigint | undefined {
  const value = fields.get(key);
  if (typeof value !== "number" && typeof value !== "bigint") return undefined;
  const sequence = BigInt(value);
  return isSequence(sequence) ? sequence : undefined;
}

/** Tells whether bytes are one bencoded value in its canonical form, short enough to be stored. */
export function isValue(bytes: Uint8Array): boolean {
  if (bytes.length > VALUE_BYTES_MAX) return false;
  try {
    decode(bytes, { depthMax: 64 });
    return true;
  } catch (error) {
    if (error instanceof BencodeError) return false;
    throw error;
  }
}

/** The signed bytes: the parts one after the other, and not a dictionary that is encoded again (BEP 44). */
function signedBytes(version: Pick<MutableItem, "value" | "salt" | "sequence">): Uint8Array {
  const { value, salt, sequence } = version;
  return concatBytes([
    ...(salt.length > 0 ? [encodeUtf8("4:salt"), encode(salt)] : []),
    encodeUtf8(`3:seqi${sequence}e1:v`),
    value,
  ]);
}

function isSequence(sequence: bigint): boolean {
  return sequence >= 0n && sequence <= SEQUENCE_MAX;
}

function checkValue(value: Uint8Array): void {
  if (value.length > VALUE_BYTES_MAX) {
    throw badItem(`a value of ${value.length} bytes, at most ${VALUE_BYTES_MAX} are stored`);
  }
  if (!isValue(value)) throw badItem("the value is not bencoded");
}

function badItem(detail: string): DhtError {
  return new DhtError("bad-item", detail);
}
