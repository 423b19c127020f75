import type { AnnounceRequest } from "../announce/announce-request.ts";
import { readUint32 } from "../base/bytes.ts";
import { PEER_ID_BYTES } from "../base/peer-id.ts";

// The words that a store with details appends to an entry, after its address and its peer word.

export const PEER_ID_WORDS = PEER_ID_BYTES / 4;
const KEY_AT = PEER_ID_WORDS;
export const UPLOADED_AT = KEY_AT + 1;
export const DOWNLOADED_AT = UPLOADED_AT + 2;
export const DETAIL_WORDS = DOWNLOADED_AT + 2;

const TWO_32 = 0x1_0000_0000;
/** Stands in a counter's place; no real counter is this large. */
const ECHO = -1;

/** @param at - Index of the counter's first word. */
export function readCounter(words: Int32Array, at: number): number {
  return words[at]! * TWO_32 + (words[at + 1]! >>> 0);
}

/** @param at - Index of the details' first word. */
export function keepIdentity(words: Int32Array, at: number, request: AnnounceRequest): void {
  for (let i = 0; i < PEER_ID_WORDS; i += 1) words[at + i] = readUint32(request.peerId, i * 4);
  words[at + KEY_AT] = request.key;
}

/** True when these details belong to the client that asks, by its peer id and key (BEP 7). */
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

/** Marks the entry as the second address of a client that is counted under its other family. */
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

/** The growth of a counter. A counter that fell has restarted, so its whole value is new. */
export function grownBy(before: number, now: number): number {
  return now >= before ? now - before : now;
}
