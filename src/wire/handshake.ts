import { fromLatin1 } from "../base/bytes.ts";
import { invariant } from "../base/errors.ts";
import { WireError } from "./wire-error.ts";

export const HANDSHAKE_BYTES = 68;

const PROTOCOL = fromLatin1("\x13BitTorrent protocol");
const RESERVED_OFFSET = 20;
const INFOHASH_OFFSET = 28;
const PEER_ID_OFFSET = 48;

/** The features that a side offers in its reserved bits. */
export interface HandshakeFlags {
  /** Extension protocol (BEP 10). */
  readonly extended: boolean;
  /** Fast extension (BEP 6). */
  readonly fast: boolean;
  /** Has a DHT node and would like a `port` message (BEP 5). */
  readonly dht: boolean;
  /** Supports v2 too: a hybrid torrent's connection may be upgraded to v2 (BEP 52). */
  readonly v2: boolean;
}

export interface Handshake extends HandshakeFlags {
  /** 20 bytes. */
  readonly infohash: Uint8Array;
  /** 20 bytes. */
  readonly peerId: Uint8Array;
}

/** @returns 68 bytes. */
export function encodeHandshake(handshake: Handshake): Uint8Array {
  invariant(handshake.infohash.length === 20, "callers cut v2 infohashes (wireInfohash)");
  invariant(handshake.peerId.length === 20, "peer ids have 20 bytes");
  const bytes = new Uint8Array(HANDSHAKE_BYTES);
  bytes.set(PROTOCOL);
  if (handshake.extended) bytes[RESERVED_OFFSET + 5]! |= 0x10;
  if (handshake.dht) bytes[RESERVED_OFFSET + 7]! |= 0x01;
  if (handshake.fast) bytes[RESERVED_OFFSET + 7]! |= 0x04;
  if (handshake.v2) bytes[RESERVED_OFFSET + 7]! |= 0x10;
  bytes.set(handshake.infohash, INFOHASH_OFFSET);
  bytes.set(handshake.peerId, PEER_ID_OFFSET);
  return bytes;
}

/**
 * Reads the remote's handshake as it arrives. The infohash is known after 48 bytes, so that the accepting side can
 * answer before the peer id, which some peers hold back.
 */
export class HandshakeDecoder {
  readonly #bytes = new Uint8Array(HANDSHAKE_BYTES);
  #received = 0;

  /**
   * @returns The number of bytes that belong to the handshake; the rest is for the wire decoder.
   * @throws {WireError} `bad-handshake` at the first byte that no BitTorrent handshake can have (WIR-3).
   */
  feed(chunk: Uint8Array, length: number): number {
    const taken = Math.min(HANDSHAKE_BYTES - this.#received, length);
    for (let i = 0; i < taken; i += 1) {
      const at = this.#received + i;
      if (at >= PROTOCOL.length) break;
      if (chunk[i] !== PROTOCOL[at]) throw new WireError("bad-handshake", "not BitTorrent");
    }
    this.#bytes.set(chunk.subarray(0, taken), this.#received);
    this.#received += taken;
    return taken;
  }

  /** 20 bytes, available after 48 bytes. */
  get infohash(): Uint8Array | undefined {
    return this.#received < PEER_ID_OFFSET
      ? undefined
      : this.#bytes.subarray(INFOHASH_OFFSET, PEER_ID_OFFSET);
  }

  /** Available together with the infohash. */
  get flags(): HandshakeFlags | undefined {
    if (this.#received < PEER_ID_OFFSET) return undefined;
    const high = this.#bytes[RESERVED_OFFSET + 5]!;
    const low = this.#bytes[RESERVED_OFFSET + 7]!;
    return {
      extended: (high & 0x10) !== 0,
      dht: (low & 0x01) !== 0,
      fast: (low & 0x04) !== 0,
      v2: (low & 0x10) !== 0,
    };
  }

  /** 20 bytes, available after all 68 bytes, which end the handshake. */
  get peerId(): Uint8Array | undefined {
    return this.#received < HANDSHAKE_BYTES ? undefined : this.#bytes.subarray(PEER_ID_OFFSET);
  }
}
