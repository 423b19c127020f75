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
  /** Have-none after something was said about pieces. */
  | "bitfield-not-first"
  /** Have-none after another statement of all pieces, or a statement that takes an earlier one back. */
  | "contradiction"
  /** A message of BEP 6 although not both sides offered it. */
  | "fast-not-negotiated"
  /** The hash messages of BEP 52: bounds, or a number of hashes that does not answer the range. */
  | "bad-hash-range"
  /** A message of the extension protocol that its grammar does not allow. */
  | "bad-extension";

/** The remote peer broke the protocol. Whoever drives the connection closes it, and only it. */
export class WireError extends EverseedError {
  readonly code: WireErrorCode;

  constructor(code: WireErrorCode, detail: string, options?: ErrorOptions) {
    super(`wire: ${code}: ${detail}`, options);
    this.code = code;
  }
}
