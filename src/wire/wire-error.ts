import { EverseedError } from "../base/errors.ts";

export type WireErrorCode =
  /** The first bytes are not a BitTorrent handshake. */
  | "bad-handshake"
  /** The length is above the limit of its message. */
  | "frame-too-long"
  /** The length does not fit the message. */
  | "bad-length"
  /** A piece index past the end of the torrent. */
  | "bad-index"
  /** Wrong size or spare bits set. */
  | "bad-bitfield"
  /** Have-none after another message about pieces. */
  | "bitfield-not-first"
  /** Have-none after another statement of all pieces, or a statement that takes an earlier one back. */
  | "contradiction"
  /** A message of BEP 6 although the two sides did not both offer it. */
  | "fast-not-negotiated"
  /** A hash message of BEP 52 with a bad range, or with a number of hashes that does not fit the range. */
  | "bad-hash-range"
  /** A message that breaks the grammar of the extension protocol. */
  | "bad-extension"
  /** Bytes that are not what the stream is wrapped in: encryption before or behind the handshakes. */
  | "bad-decoration";

/** The remote peer broke the protocol. The driver of the connection closes it, and only it. */
export class WireError extends EverseedError {
  readonly code: WireErrorCode;

  constructor(code: WireErrorCode, detail: string, options?: ErrorOptions) {
    super(`wire: ${code}: ${detail}`, options);
    this.code = code;
  }
}
