import type { Context } from "hono";
import { type ByteRange, parseByteRange } from "./byte-range.ts";
import type { HubEnv } from "./hub-parts.ts";

/** The bytes that a request asks for, with the status and the headers of the answer. `last` < `first`: none. */
export interface AskedPart {
  readonly status: 200 | 206;
  readonly headers: Headers;
  readonly part: ByteRange;
}

/**
 * Reads which part of a file a request asks for (RFC 9110: `Range`, `If-Range`, `If-None-Match`).
 *
 * @param of.headers - Of the whole file; completed here.
 * @returns An answer without a body where that is all: the asker has the file, or the part does not exist.
 */
export function partialAnswer(
  c: Context<HubEnv>,
  {
    size,
    etag,
    headers,
  }: { readonly size: number; readonly etag: string; readonly headers: Headers },
): AskedPart | Response {
  headers.set("etag", etag);
  headers.set("accept-ranges", "bytes");
  if (c.req.header("if-none-match") === etag) {
    headers.delete("content-type");
    return new Response(null, { status: 304, headers });
  }
  // The client has part of another version: it gets everything from the start.
  const ifRange = c.req.header("if-range");
  const header = ifRange === undefined || ifRange === etag ? c.req.header("range") : undefined;
  const range = parseByteRange(header ?? null, size);
  if (range === "unsatisfiable") {
    headers.set("content-range", `bytes */${size}`);
    return new Response(null, { status: 416, headers });
  }
  const part = range === "whole" ? { first: 0, last: size - 1 } : range;
  headers.set("content-length", String(part.last + 1 - part.first));
  if (range === "whole") return { status: 200, headers, part };
  headers.set("content-range", `bytes ${part.first}-${part.last}/${size}`);
  return { status: 206, headers, part };
}
