import { concatBytes, toLatin1 } from "../base/bytes.ts";
import type { RawHttpReply } from "./http-exchange.ts";
import { PlatformError } from "./platform-error.ts";

const HEAD_BYTES_MAX = 32 * 1024;
/** Bytes of a chunk's size line, extensions included. */
const CHUNK_LINE_BYTES_MAX = 4096;
const NEWLINE = 10;
const GZIP_MAGIC = [0x1f, 0x8b];

/**
 * - `head`: until the empty line.
 * - `length`: until `#left` bytes have arrived.
 * - `chunk-line`, `chunk`, `chunk-end`: `Transfer-Encoding: chunked`.
 * - `open`: until the connection ends.
 * - `done`: ignores what follows.
 */
type State = "head" | "length" | "chunk-line" | "chunk" | "chunk-end" | "open" | "done";

/**
 * Reads one HTTP reply as its sender meant it, as a machine: bytes go in, the reply comes out.
 * Beyond the standard it accepts what other BitTorrent programs accept: lines that end in LF alone,
 * lines without a colon, any bytes in names and values, `Content-Length` beside `Transfer-Encoding`
 * (which then decides), repeated or unreadable lengths (the end of the connection then decides), a
 * body that ends early, truncated chunks, a body wrongly called chunked, and unannounced gzip.
 * Sizes stay limited.
 */
export class LenientReply {
  readonly #bytesMax: number;
  #state: State = "head";
  /** Bytes not read yet: part of a head or a line. */
  #pending: Uint8Array = new Uint8Array();
  readonly #body: Uint8Array[] = [];
  #bodyBytes = 0;
  #status = 0;
  #location: string | undefined;
  #date: string | undefined;
  /** Bytes still missing from the body or the chunk. */
  #left = 0;
  #chunks = 0;

  /** @param bytesMax - Limit on the body as sent. */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get hasHead(): boolean {
    return this.#state !== "head";
  }

  /**
   * @param bytes - Kept: do not reuse the buffer.
   * @returns True when the reply is complete.
   * @throws {PlatformError} `reply-too-long`; `no-reply` for bytes that are not HTTP.
   */
  push(bytes: Uint8Array): boolean {
    let rest = this.#pending.length === 0 ? bytes : concatBytes([this.#pending, bytes]);
    this.#pending = new Uint8Array();
    while (rest.length > 0 && this.#state !== "done") {
      const used = this.#read(rest);
      if (used === 0) {
        this.#pending = rest;
        break;
      }
      rest = rest.subarray(used);
    }
    return this.#state === "done";
  }

  /**
   * Handles the end of the connection, or finishes early.
   *
   * @throws {PlatformError} `no-reply` when the head is incomplete.
   */
  finish(): Omit<RawHttpReply, "from"> {
    if (this.#state === "head") {
      throw new PlatformError("no-reply", "the connection ended before the reply");
    }
    // The body is so short that it could still have been the size of a chunk.
    if (this.#state === "chunk-line" && this.#chunks === 0) this.#keep(this.#pending);
    const start = this.#body.find((part) => part.length > 0) ?? new Uint8Array();
    const packed = GZIP_MAGIC.every((byte, index) => start[index] === byte);
    return {
      status: this.#status,
      location: this.#location,
      date: this.#date,
      packed,
      body: this.#body,
    };
  }

  /** @returns The number of bytes used; 0 when more are needed. */
  #read(bytes: Uint8Array): number {
    switch (this.#state) {
      case "head":
        return this.#readHead(bytes);
      case "length":
        return this.#readCounted(bytes, "done");
      case "chunk":
        return this.#readCounted(bytes, "chunk-end");
      case "chunk-line":
        return this.#readChunkLine(bytes);
      case "chunk-end":
        return this.#readChunkEnd(bytes);
      case "open":
        this.#keep(bytes);
        return bytes.length;
      case "done":
        return bytes.length;
    }
  }

  #readHead(bytes: Uint8Array): number {
    const end = headEnd(bytes);
    if (end === undefined) {
      if (bytes.length > HEAD_BYTES_MAX) throw tooLong("head", HEAD_BYTES_MAX);
      return 0;
    }
    const lines = toLatin1(bytes.subarray(0, end)).trim().split("\n");
    const status = /^(?:HTTP\/[0-9.]+|ICY) +([1-5][0-9]{2})(?!\S)/i.exec(lines[0]!.trim())?.[1];
    if (status === undefined) throw new PlatformError("no-reply", "the reply is not HTTP");
    this.#status = Number(status);
    // Skip an interim reply: 100 Continue, 103 Early Hints.
    if (this.#status < 200) return end;
    this.#frame(readHeaders(lines.slice(1)));
    return end;
  }

  #frame(headers: ReadonlyMap<string, readonly string[]>): void {
    this.#location = headers.get("location")?.[0];
    this.#date = headers.get("date")?.[0];
    const encodings = headers.get("transfer-encoding") ?? [];
    const lengths = new Set(headers.get("content-length"));
    const [length = ""] = lengths;
    if (this.#status === 204 || this.#status === 304) this.#state = "done";
    else if (encodings.some((each) => /\bchunked\b/i.test(each))) this.#state = "chunk-line";
    else if (lengths.size === 1 && /^[0-9]{1,15}$/.test(length)) this.#expect(Number(length));
    else this.#state = "open";
  }

  #expect(length: number): void {
    this.#left = length;
    this.#state = length === 0 ? "done" : "length";
  }

  #readCounted(bytes: Uint8Array, next: State): number {
    const part = bytes.subarray(0, this.#left);
    this.#keep(part);
    this.#left -= part.length;
    if (this.#left === 0) this.#state = next;
    return part.length;
  }

  #readChunkLine(bytes: Uint8Array): number {
    const end = bytes.indexOf(NEWLINE);
    const line = toLatin1(bytes.subarray(0, end === -1 ? CHUNK_LINE_BYTES_MAX : end));
    const size = /^[ \t]*([0-9a-f]{1,8})[ \t]*(?:;.*)?\r?$/i.exec(line)?.[1];
    if (size === undefined && this.#chunks === 0 && !/^[ \t]*[0-9a-f]{0,8}\r?$/i.test(line)) {
      // The reply claims to be chunked, and is not.
      this.#state = "open";
      this.#keep(bytes);
      return bytes.length;
    }
    if (end === -1 && bytes.length < CHUNK_LINE_BYTES_MAX) return 0;
    if (size === undefined) {
      // Garbage between chunks: the body is what came before it.
      this.#state = "done";
      return bytes.length;
    }
    this.#chunks += 1;
    this.#left = Number.parseInt(size, 16);
    this.#state = this.#left === 0 ? "done" : "chunk";
    return end + 1;
  }

  /** Skips the line end after a chunk, which some servers omit. */
  #readChunkEnd(bytes: Uint8Array): number {
    if (bytes[0] === 13 && bytes.length === 1) return 0;
    this.#state = "chunk-line";
    if (bytes[0] === 13 && bytes[1] === NEWLINE) return 2;
    return bytes[0] === NEWLINE ? 1 : this.#readChunkLine(bytes);
  }

  #keep(part: Uint8Array): void {
    this.#bodyBytes += part.length;
    if (this.#bodyBytes > this.#bytesMax) throw tooLong("reply", this.#bytesMax);
    this.#body.push(part);
  }
}

/** @returns The offset after the empty line that ends a head; leading empty lines do not count. */
function headEnd(bytes: Uint8Array): number | undefined {
  let start = 0;
  while (bytes[start] === 13 || bytes[start] === NEWLINE) start += 1;
  for (let at = bytes.indexOf(NEWLINE, start); at !== -1; at = bytes.indexOf(NEWLINE, at + 1)) {
    if (bytes[at + 1] === NEWLINE) return at + 2;
    if (bytes[at + 1] === 13 && bytes[at + 2] === NEWLINE) return at + 3;
  }
  return undefined;
}

/** Maps lower-case names to values. Skips lines that are not headers. */
function readHeaders(lines: readonly string[]): Map<string, string[]> {
  const headers = new Map<string, string[]>();
  for (const line of lines) {
    const colon = line.indexOf(":");
    if (colon < 1 || /^[ \t]/.test(line)) continue;
    const name = line.slice(0, colon).trim().toLowerCase();
    const values = headers.get(name) ?? [];
    values.push(line.slice(colon + 1).trim());
    headers.set(name, values);
  }
  return headers;
}

function tooLong(what: string, bytesMax: number): PlatformError {
  return new PlatformError("reply-too-long", `the ${what} is longer than ${bytesMax} bytes`);
}
