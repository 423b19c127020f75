import { encodeUtf8, equalBytes } from "../base/bytes.ts";
import { INFOHASH_V1_BYTES } from "../base/infohash.ts";
import { sha256 } from "../base/hash.ts";
import { NO_SWARM, type StoredPeer, type SwarmStore } from "./swarms.ts";

// Numbers are little-endian, as in the tables. The file holds a magic number, the format, the wall
// time (float64, milliseconds), then the swarms (infohash, peer count, peers), and ends with a
// digest of everything before it.

const MAGIC = encodeUtf8("EVERSWRM");
const FORMAT = 1;
const HEAD_BYTES = MAGIC.length + 4 + 8;
const SWARM_HEAD_BYTES = INFOHASH_V1_BYTES + 4;
const PEER_HEAD_BYTES = 12;
const DIGEST_BYTES = 32;
const DETAIL_WORDS_MAX = 64;

/** Encodes all swarms for the next process to restore. @param wallMs - The current time. */
export function encodeSnapshot(swarms: SwarmStore, wallMs: number): Uint8Array {
  const writer = new SnapshotWriter();
  writer.bytes(MAGIC);
  writer.uint32(FORMAT);
  writer.float64(wallMs);
  for (let swarm = 0; swarm < swarms.swarmsEnd; swarm += 1) {
    if (!swarms.isOpen(swarm)) continue;
    const peers = [...swarms.peers(swarm)];
    if (peers.length === 0) continue;
    writer.bytes(swarms.infohashes(swarm)[0]!);
    writer.uint32(peers.length);
    for (const peer of peers) writePeer(writer, peer);
  }
  writer.bytes(sha256(writer.written()));
  return writer.written().slice();
}

/**
 * Restores the peers of a snapshot that are still fresh.
 *
 * @param admit - Returns the swarm of an infohash and opens it if needed; `NO_SWARM` when it is no
 * longer tracked.
 * @returns The number of peers restored; `undefined` when the bytes are not a complete snapshot of
 * ours.
 */
export function restoreSnapshot(
  bytes: Uint8Array,
  swarms: SwarmStore,
  options: { wallMs: number; admit: (infohash: Uint8Array) => number },
): number | undefined {
  const end = bytes.length - DIGEST_BYTES;
  if (end < HEAD_BYTES || !equalBytes(bytes.subarray(0, MAGIC.length), MAGIC)) return undefined;
  if (!equalBytes(sha256(bytes.subarray(0, end)), bytes.subarray(end))) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, end);
  if (view.getUint32(MAGIC.length, true) !== FORMAT) return undefined;
  // Do not make peers younger when the wall clock was set back.
  const pauseS = Math.max(0, (options.wallMs - view.getFloat64(MAGIC.length + 4, true)) / 1000);
  let restored = 0;
  let at = HEAD_BYTES;
  while (at + SWARM_HEAD_BYTES <= end) {
    const swarm = options.admit(bytes.slice(at, at + INFOHASH_V1_BYTES));
    const count = view.getUint32(at + INFOHASH_V1_BYTES, true);
    at += SWARM_HEAD_BYTES;
    for (let i = 0; i < count; i += 1) {
      const read = readPeer(view, at, pauseS);
      if (!read) return restored;
      const { peer, next } = read;
      at = next;
      if (swarm !== NO_SWARM && swarms.restore(swarm, peer)) restored += 1;
    }
  }
  return restored;
}

function writePeer(writer: SnapshotWriter, peer: StoredPeer): void {
  writer.uint32(peer.address.length | (peer.details.length << 8));
  writer.uint32(peer.port | peer.flags);
  writer.uint32(peer.idleS);
  writer.bytes(peer.address);
  for (const word of peer.details) writer.uint32(word);
}

/**
 * The digest matched, so the lengths are the ones we wrote; they are bounds-checked all the same.
 *
 * @returns `undefined` when the bytes end before the peer does.
 */
function readPeer(
  view: DataView,
  at: number,
  pauseS: number,
): { peer: StoredPeer; next: number } | undefined {
  if (at + PEER_HEAD_BYTES > view.byteLength) return undefined;
  const lengths = view.getUint32(at, true);
  const addressBytes = (lengths & 0xff) === 4 ? 4 : 16;
  const detailWords = Math.min(lengths >>> 8, DETAIL_WORDS_MAX);
  const detailsAt = at + PEER_HEAD_BYTES + addressBytes;
  const next = detailsAt + detailWords * 4;
  if (next > view.byteLength) return undefined;
  const word = view.getUint32(at + 4, true);
  const address = new Uint8Array(view.buffer, view.byteOffset + at + PEER_HEAD_BYTES, addressBytes);
  const details = new Int32Array(detailWords);
  for (let i = 0; i < detailWords; i += 1) details[i] = view.getInt32(detailsAt + i * 4, true);
  const peer = {
    address,
    port: word & 0xffff,
    flags: word & ~0xffff,
    idleS: view.getUint32(at + 8, true) + pauseS,
    details,
  };
  return { peer, next };
}

class SnapshotWriter {
  #bytes = new Uint8Array(65_536);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  written(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  bytes(part: Uint8Array): void {
    this.#reserve(part.length);
    this.#bytes.set(part, this.#length);
    this.#length += part.length;
  }

  uint32(value: number): void {
    this.#reserve(4);
    this.#view.setUint32(this.#length, value, true);
    this.#length += 4;
  }

  float64(value: number): void {
    this.#reserve(8);
    this.#view.setFloat64(this.#length, value, true);
    this.#length += 8;
  }

  #reserve(more: number): void {
    if (this.#length + more <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + more));
    larger.set(this.written());
    this.#bytes = larger;
    this.#view = new DataView(larger.buffer);
  }
}
