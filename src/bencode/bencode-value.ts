/**
 * What `decode` makes of the four types of BEP 3. An integer is a `number` when it is safe
 * (|n| <= 2^53-1) and a `bigint` otherwise, so that no digit is lost (BEN-5).
 */
export type BencodeValue =
  | Uint8Array
  | number
  | bigint
  | readonly BencodeValue[]
  | ReadonlyMap<string, BencodeValue>;

/** Keys are byte strings spelled in latin1, one character per byte. */
export type BencodeDict = ReadonlyMap<string, BencodeValue>;

export function isBytes(value: BencodeValue | undefined): value is Uint8Array {
  return value instanceof Uint8Array;
}

export function isList(value: BencodeValue | undefined): value is readonly BencodeValue[] {
  return Array.isArray(value);
}

export function isDict(value: BencodeValue | undefined): value is BencodeDict {
  return value instanceof Map;
}

// Input from outside is read field by field. To most readers a missing field and one of the wrong type are the same,
// `undefined`. A reader that must tell them apart also asks `dict.has(key)`.

/** @returns The byte string, a view into the decoded input; `undefined` when the value is not one. */
export function getBytes(dict: BencodeDict, key: string): Uint8Array | undefined {
  const value = dict.get(key);
  return isBytes(value) ? value : undefined;
}

/** @returns The integer; `undefined` when the value is not one, or is beyond +-(2^53-1). */
export function getInteger(dict: BencodeDict, key: string): number | undefined {
  const value = dict.get(key);
  return typeof value === "number" ? value : undefined;
}

export function getList(dict: BencodeDict, key: string): readonly BencodeValue[] | undefined {
  const value = dict.get(key);
  return isList(value) ? value : undefined;
}

export function getDict(dict: BencodeDict, key: string): BencodeDict | undefined {
  const value = dict.get(key);
  return isDict(value) ? value : undefined;
}
