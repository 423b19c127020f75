import type { DecoratedPeer, StreamDecorator } from "../stream-decorator.ts";
import type { HandshakeFlags } from "../../wire/handshake.ts";
import type { PieceBounds } from "../../wire/piece-bounds.ts";
import type { HashRange } from "../../wire/wire-sink.ts";

/** Who takes connections of one infohash, or two of a hybrid: what our side of their handshakes says. */
export interface ConnectionOwner {
  readonly peerId: Uint8Array;
  /** What our handshake offers. */
  readonly flags: HandshakeFlags;
  accepts(infohash: Uint8Array): boolean;
  /** The infohash of our answer to a peer that asked for `infohash`, and said whether it speaks v2. */
  answerTo(infohash: Uint8Array, speaksV2: boolean): Uint8Array;
  /**
   * What the messages behind the 68 bytes of each side go through; they are plain without it. Our answer to a peer that
   * dialled us goes out with the first bytes that the decorator sends: it can be silent until the peer has proved itself.
   */
  decorate?(peer: DecoratedPeer): StreamDecorator | undefined;
}

/**
 * What a connection calls while it decodes: one object for each peer, made by the owner when it admits the
 * connection. Numbers are within `bounds`.
 */
export interface ConnectionSink {
  readonly owner: ConnectionOwner;
  /** The numbers the peer may name; infinite while a magnet link's info dictionary is not here. */
  readonly bounds: PieceBounds;
  /**
   * `pieces`: the numbers of one torrent; the connection keeps what the peer has. `open`: numbers that are given out as it
   * goes, up to bounds that grow. Every have is handed on then, and a bitfield or have-all ends the connection.
   */
  readonly numbering: "pieces" | "open";
  /** Handshakes are exchanged, messages may flow. @returns Why the peer is refused, or `undefined`. */
  handleReady(): string | undefined;
  /**
   * The connection has ended, perhaps in the middle of a call of those who hear of it. To be noted only, and carried out
   * when the burst is over.
   *
   * @param byUs - False when the peer, or the net, ended it.
   */
  handleClosed(reason: string, byUs: boolean): void;
  /** @returns Where the payload of the block goes, or `undefined` to drop it. */
  beginBlock(piece: number, begin: number, length: number): Uint8Array | undefined;
  endBlock(piece: number, begin: number, length: number, kept: boolean): void;
  handleRequest(piece: number, begin: number, length: number): void;
  handleCancel(piece: number, begin: number, length: number): void;
  handleReject(piece: number, begin: number, length: number): void;
  /** What the peer has grew by one piece. */
  handleHave(piece: number): void;
  /** What the peer has was stated as a whole. */
  handlePossession(): void;
  handleChoke(choked: boolean): void;
  /** The peer became interested, or is not any more. */
  handleInterest(): void;
  handleSuggest(piece: number): void;
  handleAllowedFast(piece: number): void;
  handleExtended(extensionId: number, payload: Uint8Array): void;
  handleHashRequest(range: HashRange): void;
  handleHashes(range: HashRange, hashes: Uint8Array): void;
  handleHashReject(range: HashRange): void;
  /** Bytes that were written have left: there may be room for more. */
  handleSent(): void;
  /** Something is gathered to be sent, to be flushed when the burst of events is over. */
  handleOutput(): void;
  /** A burst of events is over: what was decided during it is sent. */
  settle(): void;
}
