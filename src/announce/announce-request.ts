import { INFOHASH_V1_BYTES } from "../base/infohash.ts";
import { PEER_ID_BYTES } from "../base/peer-id.ts";
import type { Credential } from "./credential.ts";

/** `none` is a regular announce; `paused` a partial seed that fetches nothing more (BEP 21). */
export type AnnounceEvent = "none" | "started" | "completed" | "stopped" | "paused";

/** `numwant` of a request that does not say it. */
export const NUMWANT_DEFAULT = -1;

/** `left` of a request that does not say it, or says more than a number can hold: surely no seed. */
export const LEFT_UNKNOWN = Number.MAX_SAFE_INTEGER;

/**
 * One announce as a tracker reads it. A tracker keeps one of these and parses every request into it,
 * HTTP and UDP alike, so that an announce creates no objects.
 */
export class AnnounceRequest {
  readonly infohash: Uint8Array;
  /** The bytes of `infohash` as five words in the machine's order, for hash tables. */
  readonly infohashWords: Int32Array;
  readonly peerId: Uint8Array = new Uint8Array(PEER_ID_BYTES);
  port = 0;
  /** Bytes since `started`; at most 2^53-1. */
  uploaded = 0;
  downloaded = 0;
  left = LEFT_UNKNOWN;
  event: AnnounceEvent = "none";
  /** Peers wanted, or `NUMWANT_DEFAULT`. */
  numwant = NUMWANT_DEFAULT;
  /** Ties the announces of one client together (BEP 7); 0 when absent. */
  key = 0;
  /** BEP 23; false asks for the dictionary form. */
  compact = true;
  /** In the dictionary form, leave the peer ids out. */
  noPeerId = false;
  /** `trackerid=` was there and empty, as the seed paper's client sends it (PUB-3.2). */
  emptyTrackerId = false;
  /** The address the peer says it has, as text; empty when it says none. Nobody believes it unasked. */
  claimedAddress = "";
  /** What it shows of who asks, in the query or the options of BEP 41; `undefined` when it shows nothing. */
  credential: Credential | undefined = undefined;

  constructor() {
    const buffer = new ArrayBuffer(INFOHASH_V1_BYTES);
    this.infohash = new Uint8Array(buffer);
    this.infohashWords = new Int32Array(buffer);
  }

  /** Forgets the last request. Infohash and peer id are always overwritten by the parsers. */
  reset(): void {
    this.port = 0;
    this.uploaded = 0;
    this.downloaded = 0;
    this.left = LEFT_UNKNOWN;
    this.event = "none";
    this.numwant = NUMWANT_DEFAULT;
    this.key = 0;
    this.compact = true;
    this.noPeerId = false;
    this.emptyTrackerId = false;
    this.claimedAddress = "";
    this.credential = undefined;
  }
}

/** One announce as a client states it. */
export interface OutgoingAnnounce {
  /** 20 bytes: the wire form. */
  readonly infohash: Uint8Array;
  readonly peerId: Uint8Array;
  readonly port: number;
  readonly uploaded: number;
  readonly downloaded: number;
  /** Bytes; a positive number while unknown (magnet links). */
  readonly left: number;
  readonly event: AnnounceEvent;
  readonly numwant: number;
  /** 32 bits, random for each session. */
  readonly key: number;
  /** The last `tracker id` received. HTTP only. */
  readonly trackerId?: Uint8Array | undefined;
}
