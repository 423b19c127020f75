import type { AnnounceRequest } from "../announce/announce-request.ts";
import { readUint32 } from "../base/bytes.ts";
import { PEER_ID_BYTES } from "../base/peer-id.ts";

// What a store with details knows of a peer besides its address and its word: words in an entry, behind those.

export const PEER_ID_WORDS = PEER_ID_BYTES / 4;
const KEY_AT = PEER_ID_WORDS;
export const UPLOADED_AT = KEY_AT + 1;
export const DOWNLOADED_AT = UPLOADED_AT + 2;
export const DETAIL_WORDS = DOWNLOADED_AT + 2;

const TWO_32 = 0x1_0000_0000;
/** In place of a counter, none of which is so large. */
const ECHO = -1;

/** @param at - Where the counter begins, in words. */
export function readCounter(words: Int32Array, at: number): number {
  return words[at]! * TWO_32 + (words[at + 1]! >>> 0);
}

/** @param at - Where the details begin, in words. */
export function keepIdentity(words: Int32Array, at: number, request: AnnounceRequest): void {
  for (let i = 0; i < PEER_ID_WORDS; i += 1) words[at + i] = readUint32(request.peerId, i * 4);
  words[at + KEY_AT] = request.key;
}

/** True when these are the details of the client that asks, by its peer id and key (BEP 7). */
export function isSameClient(words: Int32Array, at: number, request: AnnounceRequest): boolean {
  return words[at + KEY_AT] === (request.key | 0) && hasPeerId(words, at, request);
}

export function hasPeerId(words: Int32Array, at: number, request: AnnounceRequest): boolean {
  for (let i = 0; i < PEER_ID_WORDS; i += 1) {
    if (words[at + i] !== (readUint32(request.peerId, i * 4) | 0)) return false;
  }
  return true;
}

export function keepCounters(words: Int32Array, at: number, request: AnnounceRequest): void {
  writeCounter(words, at + UPLOADED_AT, request.uploaded);
  writeCounter(words, at + DOWNLOADED_AT, request.downloaded);
}

/** From now on this is a client of whom the address of its other family is counted. */
export function markEcho(words: Int32Array, at: number): void {
  words[at + UPLOADED_AT] = ECHO;
}

export function isEcho(words: Int32Array, at: number): boolean {
  return words[at + UPLOADED_AT] === ECHO;
}

function writeCounter(words: Int32Array, at: number, value: number): void {
  words[at] = Math.floor(value / TWO_32);
  words[at + 1] = value % TWO_32;
}

/** What came to a counter. One that fell began anew, and all it says came since. */
export function grownBy(before: number, now: number): number {
  return now >= before ? now - before : now;
}
