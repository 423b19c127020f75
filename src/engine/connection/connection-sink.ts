import type { HandshakeFlags } from "../../wire/handshake.ts";
import type { HashRange } from "../../wire/wire-sink.ts";

/** The moving of bytes, once the torrent's files are open. */
export interface PeerTransfer<P> {
  readonly download: {
    handleChoked(peer: P): void;
    handleSuggested(peer: P, piece: number): void;
    handleAllowedFast(peer: P, piece: number): void;
    /** Asks for more, if there is something to ask. */
    refill(peer: P): void;
    /** @returns Where the payload of a requested block goes, or `undefined` to drop it. */
    beginBlock(peer: P, piece: number, block: number, length: number): Uint8Array | undefined;
    endBlock(peer: P, piece: number, block: number): void;
    /** The block that was coming in will not be finished. */
    dropBlock(peer: P, piece: number, block: number): void;
    handleRejected(peer: P, piece: number, block: number): void;
  };
  readonly upload: {
    handleCancel(peer: P, piece: number, begin: number, length: number): void;
    /** Sends what is owed, as far as there is room. */
    serve(peer: P): void;
  };
  handleRequest(peer: P, piece: number, begin: number, length: number): void;
}

/** What a peer tells the torrent it belongs to. Numbers have been checked against the piece count. */
export interface PeerOwner<P> {
  readonly pieceCount: number | undefined;
  readonly peerId: Uint8Array;
  /** What our handshake offers. */
  readonly flags: HandshakeFlags;
  accepts(infohash: Uint8Array): boolean;
  /** The infohash of our answer to who asked for `infohash`, and said whether it speaks v2. */
  answerTo(infohash: Uint8Array, speaksV2: boolean): Uint8Array;
  nowMs(): number;
  /** `undefined` until the torrent's files are open. */
  transfer(): PeerTransfer<P> | undefined;
  /** Handshakes are exchanged, messages may flow. @returns Why the peer is refused, or `undefined`. */
  handleReady(peer: P): string | undefined;
  /** @param byUs - False when the peer, or the net, ended it. */
  handleClosed(peer: P, reason: string, byUs: boolean): void;
  /** `peer.pieces` has grown by one piece. */
  handleHave(peer: P, piece: number): void;
  /** `peer.pieces` was stated as a whole. */
  handlePossession(peer: P): void;
  handleInterest(peer: P): void;
  /** A block of so many bytes arrived, wanted or not. */
  handleDownloaded(bytes: number): void;
  handleExtended(peer: P, extensionId: number, payload: Uint8Array): void;
  handleHashRequest(peer: P, range: HashRange): void;
  handleHashes(peer: P, range: HashRange, hashes: Uint8Array): void;
  handleHashReject(peer: P, range: HashRange): void;
  /** The peer has gathered something to send, to be flushed when the burst of events is over. */
  handleOutput(peer: P): void;
  /** A burst of events is over: what was decided during it is sent. */
  settle(): void;
}

/** Who finds the torrent an accepted connection asks for. */
export interface PeerGate<P> {
  /** @returns The torrent, a promise of it (it is being woken), or `undefined`: not ours. */
  admit(
    peer: P,
    infohash: Uint8Array,
  ): PeerOwner<P> | undefined | Promise<PeerOwner<P> | undefined>;
  /** An accepted connection ended before it found its torrent. */
  handleStray(peer: P, reason: string): void;
}
