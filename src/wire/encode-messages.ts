import { writeUint16, writeUint32 } from "../base/bytes.ts";
import { MESSAGE, PREFIX_BYTES, type SignalId } from "./message-id.ts";

/** Sizes of whole frames in bytes, prefix included: the space a `write` function needs in its buffer. */
export const KEEP_ALIVE_BYTES = PREFIX_BYTES;
export const SIGNAL_BYTES = PREFIX_BYTES + 1;
export const INDEX_BYTES = PREFIX_BYTES + 5;
export const ADDRESS_BYTES = PREFIX_BYTES + 13;
/** Bytes before the block in a `piece` frame. */
export const PIECE_HEAD_BYTES = PREFIX_BYTES + 9;

// The write functions fill `target` from `offset` and return the offset after the last byte written, so that many
// messages are gathered in one buffer without allocations.

export function writeKeepAlive(target: Uint8Array, offset: number): number {
  writeUint32(target, offset, 0);
  return offset + KEEP_ALIVE_BYTES;
}

/** Choke, unchoke, interested, not interested, have all, have none. */
export function writeSignal(target: Uint8Array, offset: number, id: SignalId): number {
  writeUint32(target, offset, 1);
  target[offset + 4] = id;
  return offset + SIGNAL_BYTES;
}

export function writeHave(target: Uint8Array, offset: number, piece: number): number {
  return writeIndex(target, offset, MESSAGE.have, piece);
}

/** BEP 6: a hint that this piece is cheap to get from us. */
export function writeSuggest(target: Uint8Array, offset: number, piece: number): number {
  return writeIndex(target, offset, MESSAGE.suggest, piece);
}

/** BEP 6: the peer may ask for this piece while we choke it. */
export function writeAllowedFast(target: Uint8Array, offset: number, piece: number): number {
  return writeIndex(target, offset, MESSAGE.allowedFast, piece);
}

/** A range of bytes of a piece, as a request names it. */
export interface BlockAddress {
  readonly piece: number;
  readonly begin: number;
  readonly length: number;
}

export function writeRequest(target: Uint8Array, offset: number, block: BlockAddress): number {
  return writeAddress(target, offset, MESSAGE.request, block);
}

export function writeCancel(target: Uint8Array, offset: number, block: BlockAddress): number {
  return writeAddress(target, offset, MESSAGE.cancel, block);
}

/** BEP 6: this request will not be answered with a block. */
export function writeReject(target: Uint8Array, offset: number, block: BlockAddress): number {
  return writeAddress(target, offset, MESSAGE.reject, block);
}

/** The 13 bytes before a block; its `length` bytes must follow. */
export function writePieceHead(target: Uint8Array, offset: number, block: BlockAddress): number {
  writeUint32(target, offset, 9 + block.length);
  target[offset + 4] = MESSAGE.piece;
  writeUint32(target, offset + 5, block.piece);
  writeUint32(target, offset + 9, block.begin);
  return offset + PIECE_HEAD_BYTES;
}

/** @param bits - In the layout of `Bitfield.bytes`. */
export function encodeBitfield(bits: Uint8Array): Uint8Array {
  return encodeFrame(MESSAGE.bitfield, bits);
}

/** BEP 5: the UDP port of our DHT node. */
export function encodePort(port: number): Uint8Array {
  const payload = new Uint8Array(2);
  writeUint16(payload, 0, port);
  return encodeFrame(MESSAGE.port, payload);
}

/**
 * Wraps a payload of the extension protocol (BEP 10).
 *
 * @param extensionId - 0 for the handshake, otherwise the id that the remote chose for the message.
 */
export function encodeExtended(extensionId: number, payload: Uint8Array): Uint8Array {
  const frame = new Uint8Array(PREFIX_BYTES + 2 + payload.length);
  writeUint32(frame, 0, 2 + payload.length);
  frame[4] = MESSAGE.extended;
  frame[5] = extensionId;
  frame.set(payload, 6);
  return frame;
}

function writeIndex(target: Uint8Array, offset: number, id: number, piece: number): number {
  writeUint32(target, offset, 5);
  target[offset + 4] = id;
  writeUint32(target, offset + 5, piece);
  return offset + INDEX_BYTES;
}

function writeAddress(target: Uint8Array, offset: number, id: number, block: BlockAddress): number {
  writeUint32(target, offset, 13);
  target[offset + 4] = id;
  writeUint32(target, offset + 5, block.piece);
  writeUint32(target, offset + 9, block.begin);
  writeUint32(target, offset + 13, block.length);
  return offset + ADDRESS_BYTES;
}

function encodeFrame(id: number, payload: Uint8Array): Uint8Array {
  const frame = new Uint8Array(PREFIX_BYTES + 1 + payload.length);
  writeUint32(frame, 0, 1 + payload.length);
  frame[4] = id;
  frame.set(payload, 5);
  return frame;
}
