/** A part of a file, both ends included, as in `Content-Range`. */
export interface ByteRange {
  readonly first: number;
  readonly last: number;
}

/**
 * Reads a `Range` header (RFC 9110 14.2).
 *
 * @param size - Bytes of the file.
 * @returns The range; `"unsatisfiable"` for 416; `"whole"` when the header is absent, not in bytes, malformed or asks
 *   for several ranges: all of these may be answered with the whole file.
 */
export function parseByteRange(
  header: string | null,
  size: number,
): ByteRange | "whole" | "unsatisfiable" {
  const match = /^bytes=\s*([0-9]{0,16})-([0-9]{0,16})\s*$/i.exec(header ?? "");
  if (!match) return "whole";
  const [, from, to] = match;
  if (from === "" && to === "") return "whole";
  if (from === "") {
    // The last bytes of the file.
    const count = Number(to);
    if (count === 0 || size === 0) return "unsatisfiable";
    return { first: Math.max(0, size - count), last: size - 1 };
  }
  const first = Number(from);
  const last = to === "" ? Infinity : Number(to);
  if (last < first) return "whole";
  if (first >= size) return "unsatisfiable";
  return { first, last: Math.min(last, size - 1) };
}
