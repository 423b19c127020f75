import { fromLatin1 } from "../base/bytes.ts";
import { formatAddress } from "../base/endpoint.ts";
import { PEER_ID_BYTES } from "../base/peer-id.ts";
import { encode } from "../bencode/encode.ts";
import type { AnnounceAnswer } from "./announce-answer.ts";
import type { AnnounceRequest } from "./announce-request.ts";
import type { ReplyWriter } from "./reply-writer.ts";

/** Bytes of the longest announce answer: 200 IPv6 peers in dictionary form, and the other fields. */
export const HTTP_ANSWER_BYTES_MAX = 32_768;

/** The parts of an answer that are the same for everybody. */
export interface AnswerPolicy {
  readonly intervalS: number;
  readonly minIntervalS: number;
  /** Clients echo it; the same for everybody. */
  readonly trackerId: string;
  /** Clients show it to their users; an empty one is not sent. */
  readonly warningMessage: string;
}

const DICT = fromLatin1("d");
const END = fromLatin1("e");
const COLON = fromLatin1(":");
const COMPLETE = fromLatin1("8:completei");
const DOWNLOADED = fromLatin1("e10:downloadedi");
const EXTERNAL_IP = fromLatin1("11:external ip");
const INCOMPLETE = fromLatin1("10:incompletei");
const PEERS = fromLatin1("5:peers");
const NO_PEERS = fromLatin1("5:peers0:");
const PEERS6 = fromLatin1("6:peers6");
const PEER_LIST = fromLatin1("5:peersl");
const PEER_IP = fromLatin1("d2:ip");
const PEER_ID = fromLatin1("7:peer id20:");
const PEER_PORT = fromLatin1("4:porti");
const PEER_END = fromLatin1("ee");

/** Writes answers to HTTP announces (BEP 3, 7, 23, 24) under one policy. */
export class HttpAnswerEncoder {
  readonly #intervals: Uint8Array;
  readonly #tail: Uint8Array;
  readonly #tailWithWarning: Uint8Array;

  constructor(policy: AnswerPolicy) {
    const { trackerId, warningMessage } = policy;
    this.#intervals = fromLatin1(
      `e8:intervali${policy.intervalS}e12:min intervali${policy.minIntervalS}e`,
    );
    const tail = trackerId === "" ? "" : `10:tracker id${byteString(trackerId)}`;
    const warning = `15:warning message${byteString(warningMessage)}`;
    this.#tailWithWarning = fromLatin1(`${tail}${warning}e`);
    // Transmission shows even an empty warning as a warning, so it goes only to clients like that of the seed paper,
    // which expect the key (PUB-3.4).
    this.#tail = warningMessage === "" ? fromLatin1(`${tail}e`) : this.#tailWithWarning;
  }

  /** @param externalAddress - 4 or 16 bytes, the asker's address as we see it (BEP 24). */
  write(
    writer: ReplyWriter,
    request: AnnounceRequest,
    answer: AnnounceAnswer,
    externalAddress: Uint8Array,
  ): void {
    writer.reset();
    writer.raw(DICT);
    writer.raw(COMPLETE);
    writer.digits(answer.complete);
    writer.raw(DOWNLOADED);
    writer.digits(answer.downloaded);
    writer.raw(END);
    writer.raw(EXTERNAL_IP);
    writer.digits(externalAddress.length);
    writer.raw(COLON);
    writer.raw(externalAddress);
    writer.raw(INCOMPLETE);
    writer.digits(answer.incomplete);
    writer.raw(this.#intervals);
    if (request.compact) writeCompact(writer, answer);
    else writeList(writer, answer, request.noPeerId);
    writer.raw(request.emptyTrackerId ? this.#tailWithWarning : this.#tail);
  }
}

function writeCompact(writer: ReplyWriter, answer: AnnounceAnswer): void {
  const bytes = answer.peerCount * answer.entryBytes;
  if (answer.entryBytes === 18) {
    // Some clients consider a reply without `peers` broken.
    writer.raw(NO_PEERS);
    writer.raw(PEERS6);
  } else {
    writer.raw(PEERS);
  }
  writer.digits(bytes);
  writer.raw(COLON);
  writer.range(answer.peers, 0, bytes);
}

function writeList(writer: ReplyWriter, answer: AnnounceAnswer, noPeerId: boolean): void {
  const { entryBytes, peers, peerIds } = answer;
  writer.raw(PEER_LIST);
  for (let index = 0; index < answer.peerCount; index += 1) {
    const at = index * entryBytes;
    const portAt = at + entryBytes - 2;
    const idAt = index * PEER_ID_BYTES;
    writer.raw(PEER_IP);
    writer.raw(fromLatin1(byteString(formatAddress(peers.subarray(at, portAt)))));
    // Every client's peer id starts with a printable character; zero means unknown.
    if (!noPeerId && peerIds[idAt] !== 0) {
      writer.raw(PEER_ID);
      writer.range(peerIds, idAt, idAt + PEER_ID_BYTES);
    }
    writer.raw(PEER_PORT);
    writer.digits((peers[portAt]! << 8) | peers[portAt + 1]!);
    writer.raw(PEER_END);
  }
  writer.raw(END);
}

/** A tracker's refusal, by custom sent with HTTP 200 (BEP 3). `retryInMinutes`: BEP 31. */
export function encodeFailure(reason: string, retryInMinutes?: number | "never"): Uint8Array {
  const dict = new Map<string, Uint8Array | number>([
    ["failure reason", new TextEncoder().encode(reason)],
  ]);
  if (retryInMinutes !== undefined) {
    dict.set("retry in", retryInMinutes === "never" ? fromLatin1("never") : retryInMinutes);
  }
  return encode(dict);
}

/** Bencoded, one character per byte. */
function byteString(text: string): string {
  const bytes = new TextEncoder().encode(text);
  let latin1 = "";
  for (const byte of bytes) latin1 += String.fromCharCode(byte);
  return `${bytes.length}:${latin1}`;
}
