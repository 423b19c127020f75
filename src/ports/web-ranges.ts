/** A part of a resource on a web server. */
export interface RangeRequest {
  readonly url: string;
  /** Both ends included, as in `Content-Range`; `undefined` requests the whole resource. */
  readonly range: { readonly first: number; readonly last: number } | undefined;
}

/** The head of an answer. Its texts are as the server sent them. */
export interface RangeHead {
  readonly status: number;
  readonly contentRange: string | undefined;
  readonly contentLength: string | undefined;
  readonly contentEncoding: string | undefined;
  readonly retryAfter: string | undefined;
}

/** Why there is no answer, or only a part of one. */
export interface RangeFailure {
  /**
   * `refused`: the guard allows none of its addresses, or a redirect leads nowhere; asking again changes nothing.
   * `unreachable`: no connection, or no answer on it. `cut`: the connection ended before the answer did.
   */
  readonly kind: "refused" | "unreachable" | "cut";
  /** For people; it names no path and no query, which may hold secrets (house rule 10). */
  readonly message: string;
}

/**
 * The events of one request. They never fire inside a call of the owner's own, and none follows `handleEnd`,
 * `handleFailure` or the owner's `close`.
 */
export interface RangeHandler {
  handleHead(head: RangeHead): void;
  /** @param chunk - A part of the body; borrowed for the call. */
  handleBytes(chunk: Uint8Array): void;
  /** The answer is whole, and the line takes the next request. */
  handleEnd(): void;
  handleFailure(failure: RangeFailure): void;
}

/** One connection to a web server, kept from one request to the next and opened when it is needed. */
export interface RangeLine {
  /** Sends a request. Redirects are followed, and remembered by resource. Only one may be under way. */
  get(request: RangeRequest, handler: RangeHandler): void;
  /** Ends the request under way, and the connection. Safe to repeat; a later `get` opens a new one. */
  close(): void;
}

/** Fetches parts of resources from the web servers that torrents name. */
export interface WebRanges {
  /** @param seed - The URL of the server as the torrent names it: the guard judges by it where the line may lead. */
  open(seed: string): RangeLine;
}
