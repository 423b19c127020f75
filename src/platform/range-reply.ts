import { concatBytes, toLatin1 } from "../base/bytes.ts";
import type { RangeHead } from "../ports/web-ranges.ts";
import { PlatformError } from "./platform-error.ts";

const HEAD_BYTES_MAX = 32 * 1024;
/** Of a chunk's size line or a line of the trailer. */
const LINE_BYTES_MAX = 4096;
const TRAILER_LINES_MAX = 64;
const NEWLINE = 10;
const NOTHING = new Uint8Array();

/** A head, and where the server sends us instead. */
export interface ReplyHead extends RangeHead {
  readonly location: string | undefined;
}

export interface RangeReplyHandler {
  handleHead(head: ReplyHead): void;
  /** @param bytes - A part of the body, borrowed like the chunk that it is a part of. */
  handleBody(bytes: Uint8Array): void;
}

/**
 * - `head`: until the empty line.
 * - `length`: until `#left` bytes have arrived.
 * - `chunk-line`, `chunk`, `chunk-end`, `trailer`: `Transfer-Encoding: chunked`.
 * - `open`: until the connection ends.
 * - `done`: what follows belongs to nothing.
 */
type State = "head" | "length" | "chunk-line" | "chunk" | "chunk-end" | "trailer" | "open" | "done";

/**
 * Reads one HTTP/1.1 reply as a machine: bytes go in, the head and the parts of the body come out as they arrive, and no
 * part is copied or kept. It is strict where a lenient reader could take the bytes of one reply for those of another: a
 * length beside chunks, two lengths, a chunk without its end are refused.
 */
export class RangeReply {
  readonly #handler: RangeReplyHandler;
  #state: State = "head";
  /** Part of a head or a line. */
  #pending: Uint8Array = NOTHING;
  /** Bytes still missing from the body or the chunk. */
  #left = 0;
  #trailerLines = 0;
  #keeps = false;

  constructor(handler: RangeReplyHandler) {
    this.#handler = handler;
  }

  get isDone(): boolean {
    return this.#state === "done";
  }

  /** The connection can be used for the next request once this reply is done. */
  get keeps(): boolean {
    return this.#keeps;
  }

  /**
   * @param chunk - Borrowed for the call.
   * @throws {PlatformError} `no-reply` for bytes that are not HTTP/1.1; `reply-too-long` for a head.
   */
  push(chunk: Uint8Array): void {
    const isJoined = this.#pending.length > 0;
    let rest = isJoined ? concatBytes([this.#pending, chunk]) : chunk;
    this.#pending = NOTHING;
    while (rest.length > 0) {
      if (this.#state === "done") {
        // Nobody asked for more: what is it an answer to?
        this.#keeps = false;
        return;
      }
      const used = this.#read(rest);
      if (used === 0) {
        this.#pending = isJoined ? rest : rest.slice();
        return;
      }
      rest = rest.subarray(used);
    }
  }

  /** The connection has ended. @returns Whether the reply is whole. */
  end(): boolean {
    if (this.#state === "open") this.#state = "done";
    this.#keeps = false;
    return this.#state === "done";
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
      case "chunk-end":
      case "trailer":
        return this.#readLine(bytes);
      case "open":
        this.#handler.handleBody(bytes);
        return bytes.length;
      case "done":
        return bytes.length;
    }
  }

  #readHead(bytes: Uint8Array): number {
    const end = headEnd(bytes);
    if (end === undefined || end > HEAD_BYTES_MAX) {
      if (bytes.length > HEAD_BYTES_MAX) throw tooLong("head", HEAD_BYTES_MAX);
      return 0;
    }
    const [first = "", ...lines] = toLatin1(bytes.subarray(0, end)).trimEnd().split(/\r?\n/);
    const match = /^HTTP\/1\.([01]) ([1-5][0-9]{2})(?: |$)/.exec(first);
    if (!match) throw notHttp("the reply is not HTTP/1.1");
    const status = Number(match[2]);
    // Skip an interim reply: 100 Continue, 103 Early Hints.
    if (status >= 200) this.#frame(status, match[1] === "1", readHeaders(lines));
    return end;
  }

  #frame(status: number, isPersistent: boolean, headers: ReadonlyMap<string, string>): void {
    const encoding = headers.get("transfer-encoding");
    const length = headers.get("content-length");
    this.#keeps = isPersistent && !/\bclose\b/i.test(headers.get("connection") ?? "");
    if (status === 204 || status === 304) {
      this.#state = "done";
    } else if (encoding !== undefined) {
      if (!/^chunked$/i.test(encoding)) throw notHttp(`the transfer encoding is not known`);
      if (length !== undefined) throw notHttp("it says two lengths");
      this.#state = "chunk-line";
    } else if (length !== undefined) {
      if (!/^[0-9]{1,15}$/.test(length)) throw notHttp("its length is no number");
      this.#left = Number(length);
      this.#state = this.#left === 0 ? "done" : "length";
    } else {
      this.#keeps = false;
      this.#state = "open";
    }
    this.#handler.handleHead({
      status,
      location: headers.get("location"),
      contentRange: headers.get("content-range"),
      contentLength: length,
      contentEncoding: headers.get("content-encoding"),
      retryAfter: headers.get("retry-after"),
    });
  }

  #readCounted(bytes: Uint8Array, next: State): number {
    const part = bytes.subarray(0, this.#left);
    this.#left -= part.length;
    if (this.#left === 0) this.#state = next;
    this.#handler.handleBody(part);
    return part.length;
  }

  #readLine(bytes: Uint8Array): number {
    const end = bytes.indexOf(NEWLINE);
    if (end < 0 || end > LINE_BYTES_MAX) {
      if (bytes.length > LINE_BYTES_MAX) throw tooLong("line", LINE_BYTES_MAX);
      return 0;
    }
    const line = toLatin1(bytes.subarray(0, end)).replace(/\r$/, "");
    if (this.#state === "chunk-line") this.#readSize(line);
    else if (this.#state === "chunk-end") this.#endChunk(line);
    else this.#readTrailer(line);
    return end + 1;
  }

  #readSize(line: string): void {
    const size = /^([0-9a-f]{1,8})[ \t]*(?:;.*)?$/i.exec(line)?.[1];
    if (size === undefined) throw notHttp("a chunk has no size");
    this.#left = Number.parseInt(size, 16);
    this.#state = this.#left === 0 ? "trailer" : "chunk";
  }

  #endChunk(line: string): void {
    if (line !== "") throw notHttp("a chunk has no end");
    this.#state = "chunk-line";
  }

  #readTrailer(line: string): void {
    this.#trailerLines += 1;
    if (line === "") this.#state = "done";
    else if (this.#trailerLines > TRAILER_LINES_MAX) throw tooLong("trailer", TRAILER_LINES_MAX);
  }
}

/** @returns The offset after the empty line that ends a head. */
function headEnd(bytes: Uint8Array): number | undefined {
  for (let at = bytes.indexOf(NEWLINE); at !== -1; at = bytes.indexOf(NEWLINE, at + 1)) {
    if (bytes[at + 1] === NEWLINE) return at + 2;
    if (bytes[at + 1] === 13 && bytes[at + 2] === NEWLINE) return at + 3;
  }
  return undefined;
}

/**
 * Maps lower-case names to values; a name that comes twice has both, with a comma between.
 *
 * @throws {PlatformError} `no-reply` for a line that is no header.
 */
function readHeaders(lines: readonly string[]): Map<string, string> {
  const headers = new Map<string, string>();
  for (const line of lines) {
    const [, name, value] = /^([^\s:]{1,100}):(.*)$/.exec(line) ?? [];
    if (name === undefined) throw notHttp("a line of its head is no header");
    const key = name.toLowerCase();
    const known = headers.get(key);
    headers.set(key, known === undefined ? value!.trim() : `${known}, ${value!.trim()}`);
  }
  return headers;
}

function notHttp(detail: string): PlatformError {
  return new PlatformError("no-reply", detail);
}

function tooLong(what: string, max: number): PlatformError {
  return new PlatformError("reply-too-long", `the ${what} is longer than ${max}`);
}
