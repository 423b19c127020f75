import { readUint16, readUint32 } from "../base/bytes.ts";
import { invariant } from "../base/errors.ts";
import { PIECE_HEAD_BYTES } from "./encode-messages.ts";
import {
  ASKED_HASHES_MAX,
  HASHES_FRAME_BYTES_MAX,
  HASH_RANGE_FRAME_BYTES,
  decodeHashRange,
  decodeHashes,
} from "./hash-transfer.ts";
import { BLOCK_BYTES_MAX, MESSAGE, PREFIX_BYTES } from "./message-id.ts";
import { type PieceBounds, UNKNOWN_BOUNDS } from "./piece-bounds.ts";
import { WireError } from "./wire-error.ts";
import type { WireSink } from "./wire-sink.ts";

/** Limits of frames in bytes, without the prefix. */
const EXTENDED_FRAME_BYTES_MAX = 1_048_576 + 2;
const UNKNOWN_FRAME_BYTES_MAX = 1_048_576;
/** The limit while the piece count is unknown (magnet): 2^23 pieces. */
const BITFIELD_FRAME_BYTES_MAX = 1 + 1_048_576;
/** No message is longer, except the bitfield of a torrent with more pieces. Checked before the id arrives. */
const FRAME_BYTES_MAX = Math.max(
  EXTENDED_FRAME_BYTES_MAX,
  UNKNOWN_FRAME_BYTES_MAX,
  BITFIELD_FRAME_BYTES_MAX,
  HASHES_FRAME_BYTES_MAX,
  9 + BLOCK_BYTES_MAX,
);

/** Up to this size, the buffer for messages that span chunks is kept; most connections need no more. */
const GATHER_BYTES_KEPT = 1024;

export interface WireDecoderOptions {
  /** Both sides offered BEP 6. */
  readonly fast: boolean;
  /** The connection speaks v2, where `reject` exists without BEP 6 (BEP 52). */
  readonly v2?: boolean;
  /** Read at each message. Without bounds, every number passes. */
  readonly bounds?: PieceBounds | undefined;
  /** The bounds grow, so nobody can say that it has all, or state it as a bitfield: both are refused. */
  readonly openEnded?: boolean | undefined;
}

/**
 * Cuts the stream after the handshake into messages and calls the sink (BEP 3, 6, 10, 52).
 *
 * The byte path: the payload of a block is copied from the chunk straight into the array that the sink returned, as
 * it arrives. Small messages are read in place; only those that span two chunks are gathered. Every length is checked
 * by the rule of its message before any byte of it is kept (WIR-1).
 *
 * Between messages (gathered = 0) -> gathering (gathered > 0) -> between messages;
 * between messages -> in a block, or skipping an unknown message -> between messages;
 * any -> stopped, by `stop` or by an error, for good.
 */
export class WireDecoder {
  readonly #sink: WireSink;
  readonly #fast: boolean;
  readonly #rejects: boolean;
  readonly #bounds: PieceBounds;
  readonly #openEnded: boolean;
  #stopped = false;

  #gather = new Uint8Array(64);
  /** Bytes of an unfinished message in `#gather`, its prefix included. */
  #gathered = 0;
  /** Bytes that `#gather` must hold before the message can continue; known from the prefix on. */
  #gatherGoal = PREFIX_BYTES;

  #blockPiece = 0;
  #blockBegin = 0;
  #blockLength = 0;
  /** Payload bytes still to come; 0 outside a block. */
  #blockLeft = 0;
  #blockTarget: Uint8Array | undefined;

  /** Bytes of an unknown message still to come. */
  #skipLeft = 0;

  /** A bitfield, have-all or have-none has arrived. */
  #possession = false;
  /** A message about pieces has arrived: have-none is too late now. */
  #piecesMentioned = false;

  constructor(sink: WireSink, options: WireDecoderOptions) {
    this.#sink = sink;
    this.#fast = options.fast;
    this.#rejects = options.fast || options.v2 === true;
    this.#bounds = options.bounds ?? UNKNOWN_BOUNDS;
    this.#openEnded = options.openEnded === true;
  }

  /** Stops the decoder: `feed` returns after the current call to the sink, and later chunks are ignored. */
  stop(): void {
    this.#stopped = true;
    this.#blockTarget = undefined;
  }

  /**
   * Takes the next bytes of the stream.
   *
   * @param chunk - Borrowed for the call; bytes from `length` on are ignored.
   * @throws {WireError} The peer broke the protocol. The decoder is then stopped.
   */
  feed(chunk: Uint8Array, length: number): void {
    let offset = 0;
    try {
      while (offset < length && !this.#stopped) {
        if (this.#blockLeft > 0) offset = this.#takeBlock(chunk, offset, length);
        else if (this.#skipLeft > 0) offset = this.#takeSkipped(offset, length);
        else if (this.#gathered > 0) offset = this.#takeGathered(chunk, offset, length);
        else offset = this.#takeWhole(chunk, offset, length);
      }
    } catch (error) {
      this.stop();
      throw error;
    }
  }

  /** At the first byte of a message: handles the message in place, or begins to gather it. */
  #takeWhole(chunk: Uint8Array, offset: number, end: number): number {
    const available = end - offset;
    if (available < PREFIX_BYTES) return this.#takeGathered(chunk, offset, end);
    const frame = readUint32(chunk, offset);
    if (frame === 0) {
      this.#sink.handleKeepAlive();
      return offset + PREFIX_BYTES;
    }
    this.#judgeLength(frame);
    if (available === PREFIX_BYTES) return this.#takeGathered(chunk, offset, end);
    const goal = this.#judge(chunk[offset + PREFIX_BYTES]!, frame);
    if (available < goal) return this.#takeGathered(chunk, offset, end);
    this.#dispatch(chunk, offset, frame);
    return offset + goal;
  }

  #takeGathered(chunk: Uint8Array, offset: number, end: number): number {
    const taken = Math.min(this.#gatherGoal - this.#gathered, end - offset);
    this.#reserveGather(this.#gathered + taken);
    this.#gather.set(chunk.subarray(offset, offset + taken), this.#gathered);
    this.#gathered += taken;
    if (this.#gathered === this.#gatherGoal) this.#advanceGather();
    return offset + taken;
  }

  /** The goal is reached: the prefix tells whether an id follows, and the id tells how many bytes to gather. */
  #advanceGather(): void {
    const frame = readUint32(this.#gather, 0);
    if (this.#gathered === PREFIX_BYTES && frame > 0) {
      this.#judgeLength(frame);
      this.#gatherGoal = PREFIX_BYTES + 1;
      return;
    }
    if (this.#gathered === PREFIX_BYTES + 1) {
      this.#gatherGoal = this.#judge(this.#gather[PREFIX_BYTES]!, frame);
      if (this.#gatherGoal > this.#gathered) return;
    }
    this.#gathered = 0;
    this.#gatherGoal = PREFIX_BYTES;
    if (frame === 0) this.#sink.handleKeepAlive();
    else this.#dispatch(this.#gather, 0, frame);
    if (this.#gather.length > GATHER_BYTES_KEPT) this.#gather = new Uint8Array(64);
  }

  /** The buffer grows with the bytes that arrived, never with the announced length. */
  #reserveGather(bytes: number): void {
    if (bytes <= this.#gather.length) return;
    const grown = new Uint8Array(Math.max(bytes, this.#gather.length * 2));
    grown.set(this.#gather.subarray(0, this.#gathered));
    this.#gather = grown;
  }

  #takeBlock(chunk: Uint8Array, offset: number, end: number): number {
    const taken = Math.min(this.#blockLeft, end - offset);
    const target = this.#blockTarget;
    if (target) {
      target.set(chunk.subarray(offset, offset + taken), this.#blockLength - this.#blockLeft);
    }
    this.#blockLeft -= taken;
    if (this.#blockLeft === 0) {
      this.#blockTarget = undefined;
      this.#sink.endBlock(
        this.#blockPiece,
        this.#blockBegin,
        this.#blockLength,
        target !== undefined,
      );
    }
    return offset + taken;
  }

  #takeSkipped(offset: number, end: number): number {
    const taken = Math.min(this.#skipLeft, end - offset);
    this.#skipLeft -= taken;
    return offset + taken;
  }

  /** Refuses a length that no message can have, at once: its next byte might never come (WIR-1). */
  #judgeLength(frame: number): void {
    if (frame <= FRAME_BYTES_MAX) return;
    const wanted = this.#openEnded ? 0 : this.#bounds.wanted;
    const most = Number.isFinite(wanted) ? bitfieldFrameBytes(wanted) : BITFIELD_FRAME_BYTES_MAX;
    if (frame <= most) return;
    const limit = Math.max(FRAME_BYTES_MAX, most);
    throw new WireError("frame-too-long", `${frame} bytes, at most ${limit}`);
  }

  /**
   * Checks a frame by its id and length alone.
   *
   * @returns Bytes to gather before dispatching, prefix included: the whole message, except for blocks and unknown
   *   messages, whose payload is streamed.
   */
  #judge(id: number, frame: number): number {
    switch (id) {
      case MESSAGE.choke:
      case MESSAGE.unchoke:
      case MESSAGE.interested:
      case MESSAGE.notInterested:
        return exactly(id, frame, 1);
      case MESSAGE.have:
        return exactly(id, frame, 5);
      case MESSAGE.bitfield:
        return this.#judgeBitfield(frame);
      case MESSAGE.request:
      case MESSAGE.cancel:
        return exactly(id, frame, 13);
      case MESSAGE.piece:
        atMost(id, frame, 9 + BLOCK_BYTES_MAX);
        if (frame < 10) throw new WireError("bad-length", `piece of ${frame} bytes`);
        return PIECE_HEAD_BYTES;
      case MESSAGE.port:
        return exactly(id, frame, 3);
      case MESSAGE.suggest:
      case MESSAGE.allowedFast:
        this.#requireFast(this.#fast, id);
        return exactly(id, frame, 5);
      case MESSAGE.haveAll:
        this.#refuseStatement();
        this.#requireFast(this.#fast, id);
        return exactly(id, frame, 1);
      case MESSAGE.haveNone:
        this.#requireFast(this.#fast, id);
        return exactly(id, frame, 1);
      case MESSAGE.reject:
        this.#requireFast(this.#rejects, id);
        return exactly(id, frame, 13);
      case MESSAGE.extended:
        atMost(id, frame, EXTENDED_FRAME_BYTES_MAX);
        if (frame < 2) throw new WireError("bad-length", "extended message without an id");
        return PREFIX_BYTES + frame;
      case MESSAGE.hashRequest:
      case MESSAGE.hashReject:
        return exactly(id, frame, HASH_RANGE_FRAME_BYTES);
      case MESSAGE.hashes:
        atMost(id, frame, HASHES_FRAME_BYTES_MAX);
        if (frame < HASH_RANGE_FRAME_BYTES || (frame - HASH_RANGE_FRAME_BYTES) % 32 !== 0) {
          throw new WireError("bad-length", `hashes of ${frame} bytes`);
        }
        return PREFIX_BYTES + frame;
      default:
        atMost(id, frame, UNKNOWN_FRAME_BYTES_MAX);
        return PREFIX_BYTES + 1;
    }
  }

  #judgeBitfield(frame: number): number {
    this.#refuseStatement();
    const { wanted } = this.#bounds;
    if (!Number.isFinite(wanted)) {
      atMost(MESSAGE.bitfield, frame, BITFIELD_FRAME_BYTES_MAX);
      return PREFIX_BYTES + frame;
    }
    if (frame !== bitfieldFrameBytes(wanted)) {
      throw new WireError("bad-bitfield", `${frame - 1} bytes for ${wanted} pieces`);
    }
    return PREFIX_BYTES + frame;
  }

  #refuseStatement(): void {
    if (this.#openEnded) throw new WireError("bad-bitfield", "the numbers have no end");
  }

  #requireFast(negotiated: boolean, id: number): void {
    if (!negotiated) throw new WireError("fast-not-negotiated", `message ${id}`);
  }

  /** @param offset - Offset of the prefix. */
  #dispatch(bytes: Uint8Array, offset: number, frame: number): void {
    const sink = this.#sink;
    const id = bytes[offset + PREFIX_BYTES]!;
    const at = offset + PREFIX_BYTES + 1;
    switch (id) {
      case MESSAGE.piece:
        return this.#beginBlock(this.#wanted(bytes, at), readUint32(bytes, at + 4), frame - 9);
      case MESSAGE.request:
        return sink.handleRequest(
          this.#served(bytes, at),
          readUint32(bytes, at + 4),
          readUint32(bytes, at + 8),
        );
      case MESSAGE.have:
        return sink.handleHave(this.#wanted(bytes, at));
      case MESSAGE.choke:
        return sink.handleChoke();
      case MESSAGE.unchoke:
        return sink.handleUnchoke();
      case MESSAGE.interested:
        return sink.handleInterested();
      case MESSAGE.notInterested:
        return sink.handleNotInterested();
      case MESSAGE.bitfield:
        return this.#bitfield(bytes.subarray(at, at + frame - 1));
      case MESSAGE.cancel:
        return sink.handleCancel(
          this.#served(bytes, at),
          readUint32(bytes, at + 4),
          readUint32(bytes, at + 8),
        );
      case MESSAGE.port:
        return sink.handlePort(readUint16(bytes, at));
      case MESSAGE.suggest:
        return sink.handleSuggest(this.#wanted(bytes, at));
      case MESSAGE.haveAll:
        // This takes nothing back: aria2 sends it when it has become a seed.
        this.#possession = true;
        return sink.handleHaveAll();
      case MESSAGE.haveNone:
        this.#claimNothing();
        return sink.handleHaveNone();
      case MESSAGE.reject:
        return sink.handleReject(
          this.#wanted(bytes, at),
          readUint32(bytes, at + 4),
          readUint32(bytes, at + 8),
        );
      case MESSAGE.allowedFast:
        // It says nothing about what the peer has, so a later have-none is still allowed.
        checkBound(readUint32(bytes, at), this.#bounds.wanted);
        return sink.handleAllowedFast(readUint32(bytes, at));
      case MESSAGE.extended:
        return sink.handleExtended(bytes[at]!, bytes.subarray(at + 1, at + frame - 1));
      case MESSAGE.hashRequest:
        return sink.handleHashRequest(decodeHashRange(bytes, at, ASKED_HASHES_MAX));
      case MESSAGE.hashReject:
        return sink.handleHashReject(decodeHashRange(bytes, at, ASKED_HASHES_MAX));
      case MESSAGE.hashes: {
        const { range, hashes } = decodeHashes(bytes, at, at + frame - 1);
        return sink.handleHashes(range, hashes);
      }
      default:
        this.#skipLeft = frame - 1;
    }
  }

  #beginBlock(piece: number, begin: number, length: number): void {
    const target = this.#sink.beginBlock(piece, begin, length);
    if (this.#stopped) return;
    invariant(!target || target.length === length, "the sink's contract: exactly `length` bytes");
    this.#blockPiece = piece;
    this.#blockBegin = begin;
    this.#blockLength = length;
    this.#blockLeft = length;
    this.#blockTarget = target;
  }

  #bitfield(bits: Uint8Array): void {
    this.#possession = true;
    const { wanted } = this.#bounds;
    if (Number.isFinite(wanted) && wanted % 8 !== 0) {
      const spare = 0xff >>> (wanted % 8);
      if ((bits[bits.length - 1]! & spare) !== 0) {
        throw new WireError("bad-bitfield", "spare bits are set");
      }
    }
    this.#sink.handleBitfield(bits);
  }

  /**
   * BEP 6 wants exactly one statement, right after the handshake. We enforce that for have-none only and accept the
   * others at any time: aria2 sends its bitfield again instead of many haves, and a peer that joined by magnet link
   * sends its first bitfield once it has the info dictionary. The sink checks whether a statement takes anything
   * back.
   */
  #claimNothing(): void {
    if (this.#possession) throw new WireError("contradiction", "a second statement of all pieces");
    if (this.#piecesMentioned) {
      throw new WireError("bitfield-not-first", "pieces were mentioned before");
    }
    this.#possession = true;
  }

  #wanted(bytes: Uint8Array, at: number): number {
    const piece = readUint32(bytes, at);
    checkBound(piece, this.#bounds.wanted);
    this.#piecesMentioned = true;
    return piece;
  }

  #served(bytes: Uint8Array, at: number): number {
    const piece = readUint32(bytes, at);
    checkBound(piece, this.#bounds.served);
    this.#piecesMentioned = true;
    return piece;
  }
}

function checkBound(piece: number, bound: number): void {
  if (piece >= bound) throw new WireError("bad-index", `piece ${piece} of ${bound}`);
}

function bitfieldFrameBytes(pieceCount: number): number {
  return 1 + Math.ceil(pieceCount / 8);
}

function exactly(id: number, frame: number, expected: number): number {
  if (frame !== expected) {
    throw new WireError("bad-length", `message ${id} of ${frame} bytes instead of ${expected}`);
  }
  return PREFIX_BYTES + frame;
}

function atMost(id: number, frame: number, limit: number): void {
  if (frame > limit) {
    throw new WireError("frame-too-long", `message ${id} of ${frame} bytes, at most ${limit}`);
  }
}
