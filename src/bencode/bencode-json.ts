import { decodeUtf8Strict, fromLatin1, toHex } from "../base/bytes.ts";
import { isBytes, isList, type BencodeDict, type BencodeValue } from "./bencode-value.ts";

/**
 * Converts a bencoded dictionary from outside to JSON types: byte strings become text when they are UTF-8 and `{
 * "hex": ... }` otherwise, integers beyond 2^53-1 become text. A key that is not UTF-8 becomes `hex:` and its bytes.
 *
 * @returns An object without a prototype, because its keys come from outside (house rule 5).
 */
export function dictToJson(dict: BencodeDict): Readonly<Record<string, unknown>> {
  const object = Object.create(null) as Record<string, unknown>;
  for (const [key, value] of dict) {
    const bytes = fromLatin1(key);
    object[decodeUtf8Strict(bytes) ?? `hex:${toHex(bytes)}`] = toJson(value);
  }
  return object;
}

function toJson(value: BencodeValue): unknown {
  if (typeof value === "number") return value;
  if (typeof value === "bigint") return String(value);
  if (isBytes(value)) return decodeUtf8Strict(value) ?? { hex: toHex(value) };
  if (isList(value)) return value.map(toJson);
  return dictToJson(value);
}
