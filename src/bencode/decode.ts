import { BencodeError } from "./bencode-error.ts";
import { BencodeReader, type DecodeOptions } from "./bencode-reader.ts";
import type { BencodeValue } from "./bencode-value.ts";
import { countTrailing } from "./oddities.ts";

/**
 * Decodes the one bencoded value that fills `input` (BEP 3). With `oddities`, the first complete value counts, and
 * bytes after it are recorded there (BEN-9).
 *
 * @param input - Encoded bytes. The result aliases them: do not reuse the buffer.
 * @throws {BencodeError} With the offset of the first byte that breaks the grammar or a limit.
 */
export function decode(input: Uint8Array, options: DecodeOptions = {}): BencodeValue {
  const { value, end } = decodePrefix(input, options);
  const { oddities } = options;
  if (oddities) {
    oddities.end = end;
    oddities.trailingBytes = countTrailing(input.subarray(end));
  } else if (end < input.length) throw new BencodeError("trailing-bytes", end);
  return value;
}

/**
 * Decodes the bencoded value that `input` starts with and ignores what follows. ut_metadata frames its blocks this
 * way (BEP 9).
 *
 * @param input - Encoded bytes. The result aliases them: do not reuse the buffer.
 * @returns The value, and the offset of the first byte after it.
 * @throws {BencodeError} With the offset of the first byte that breaks the grammar or a limit.
 */
export function decodePrefix(
  input: Uint8Array,
  options: DecodeOptions = {},
): { value: BencodeValue; end: number } {
  const reader = new BencodeReader(input, options);
  const value = reader.value();
  return { value, end: reader.offset };
}
