import { INFOHASH_V1_BYTES } from "../base/infohash.ts";
import { PEER_ID_BYTES } from "../base/peer-id.ts";
import type { Credential } from "./credential.ts";

/** `none` is a regular announce; `paused` is a partial seed that downloads nothing more (BEP 21). */
export type AnnounceEvent = "none" | "started" | "completed" | "stopped" | "paused";

/** `numwant` of a request that leaves it out. */
export const NUMWANT_DEFAULT = -1;

/** `left` of a request that leaves it out, or sends more than a number can hold: certainly not a seed. */
export const LEFT_UNKNOWN = Number.MAX_SAFE_INTEGER;

/**
 * One announce as a tracker reads it. A tracker parses every request, HTTP and UDP, into one such object, so that an
 * announce allocates nothing.
 */
export class AnnounceRequest {
  readonly infohash: Uint8Array;
  /** The bytes of `infohash` as five words in the machine's byte order, for hash tables. */
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
  /** Links the announces of one client (BEP 7); 0 when absent. */
  key = 0;
  /** BEP 23; false requests the dictionary form. */
  compact = true;
  /** In the dictionary form, leaves the peer ids out. */
  noPeerId = false;
  /** `trackerid=` was present and empty, as the seed paper's client sends it (PUB-3.2). */
  emptyTrackerId = false;
  /** The address the peer claims to have, as text; empty when it claims none. By default it is not trusted. */
  claimedAddress = "";
  /** The credential in the query or in the options of BEP 41; `undefined` when there is none. */
  credential: Credential | undefined = undefined;

  constructor() {
    const buffer = new ArrayBuffer(INFOHASH_V1_BYTES);
    this.infohash = new Uint8Array(buffer);
    this.infohashWords = new Int32Array(buffer);
  }

  /** Clears the previous request. The parsers always overwrite infohash and peer id. */
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

/** One announce as a client sends it. */
export interface OutgoingAnnounce {
  /** 20 bytes: the wire form. */
  readonly infohash: Uint8Array;
  readonly peerId: Uint8Array;
  readonly port: number;
  readonly uploaded: number;
  readonly downloaded: number;
  /** Bytes; any positive number while unknown (magnet links). */
  readonly left: number;
  readonly event: AnnounceEvent;
  readonly numwant: number;
  /** 32 random bits, chosen for each session. */
  readonly key: number;
  /** Whether we take encrypted streams, or no others; absent when we take none. HTTP only. */
  readonly encryption?: "supported" | "required" | undefined;
  /** The last `tracker id` received. HTTP only. */
  readonly trackerId?: Uint8Array | undefined;
}
