import type { DecoratedPeer, StreamDecorator } from "../stream-decorator.ts";
import type { HandshakeFlags } from "../../wire/handshake.ts";
import type { PieceBounds } from "../../wire/piece-bounds.ts";
import type { HashRange } from "../../wire/wire-sink.ts";

/** The owner of connections for one infohash, or two of a hybrid: what our side of their handshakes says. */
export interface ConnectionOwner {
  readonly peerId: Uint8Array;
  /** The features that our handshake offers. */
  readonly flags: HandshakeFlags;
  accepts(infohash: Uint8Array): boolean;
  /** The infohash in our answer to a peer that asked for `infohash`, and said whether it speaks v2. */
  answerTo(infohash: Uint8Array, speaksV2: boolean): Uint8Array;
  /**
   * Decorates the messages after the 68 bytes of each side; without it they are plain. Our answer to a peer that
   * dialled us goes out with the first bytes that the decorator sends: it can stay silent until the peer has proved
   * itself.
   */
  decorate?(peer: DecoratedPeer): StreamDecorator | undefined;
}

/**
 * The methods that a connection calls while it decodes: one object for each peer, made by the owner when it accepts the
 * connection. Numbers are within `bounds`.
 */
export interface ConnectionSink {
  readonly owner: ConnectionOwner;
  /** The piece numbers that the peer may use; infinite while a magnet link's info dictionary is missing. */
  readonly bounds: PieceBounds;
  /**
   * `pieces`: the numbers of one torrent; the connection records what the peer has. `open`: numbers that are assigned
   * over time, up to bounds that grow. Then every have is passed on, and a bitfield or have-all ends the connection.
   */
  readonly numbering: "pieces" | "open";
  /** Handshakes are exchanged, and messages may flow. @returns Why the peer is refused, or `undefined`. */
  handleReady(): string | undefined;
  /**
   * The connection has ended, perhaps in the middle of a call of its owner. Only record it here, and act on it when the
   * burst is over.
   *
   * @param byUs - False when the peer, or the network, ended it.
   */
  handleClosed(reason: string, byUs: boolean): void;
  /** @returns The destination of the block's payload, or `undefined` to drop it. */
  beginBlock(piece: number, begin: number, length: number): Uint8Array | undefined;
  endBlock(piece: number, begin: number, length: number, kept: boolean): void;
  handleRequest(piece: number, begin: number, length: number): void;
  handleCancel(piece: number, begin: number, length: number): void;
  handleReject(piece: number, begin: number, length: number): void;
  /** The peer has one more piece. */
  handleHave(piece: number): void;
  /** The peer stated anew everything it has. */
  handlePossession(): void;
  handleChoke(choked: boolean): void;
  /** The peer became interested, or stopped being interested. */
  handleInterest(): void;
  /** The peer has a DHT node at that port (BEP 5). */
  handlePort(port: number): void;
  handleSuggest(piece: number): void;
  handleAllowedFast(piece: number): void;
  handleExtended(extensionId: number, payload: Uint8Array): void;
  handleHashRequest(range: HashRange): void;
  handleHashes(range: HashRange, hashes: Uint8Array): void;
  handleHashReject(range: HashRange): void;
  /** Written bytes have left: there may be room for more. */
  handleSent(): void;
  /** Messages are gathered; flush them when the burst of events is over. */
  handleGathered(): void;
  /** A burst of events is over: send what was decided during it. */
  settle(): void;
}
