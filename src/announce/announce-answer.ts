import { COMPACT_IPV4_BYTES, COMPACT_IPV6_BYTES } from "../base/endpoint.ts";
import { PEER_ID_BYTES } from "../base/peer-id.ts";

/** Most peers in one answer, whatever `numwant` says (TRK-6). */
export const ANSWER_PEERS_MAX = 200;

/**
 * A tracker's answer to one announce. One object is reused for all announces, as with `AnnounceRequest`. All peers
 * have the asker's address family (BEP 7).
 */
export class AnnounceAnswer {
  /** Seeds of the swarm; below, leechers and completions. */
  complete = 0;
  incomplete = 0;
  downloaded = 0;
  /** Bytes of one entry of `peers`: 6 or 18. */
  entryBytes: 6 | 18 = COMPACT_IPV4_BYTES;
  peerCount = 0;
  /** Compact entries, `peerCount` of them (BEP 23, BEP 7). */
  readonly peers: Uint8Array = new Uint8Array(ANSWER_PEERS_MAX * COMPACT_IPV6_BYTES);
  readonly peersView: DataView = new DataView(this.peers.buffer);
  /** Peer ids in the order of `peers`; all zeros where the id is not known. */
  readonly peerIds: Uint8Array = new Uint8Array(ANSWER_PEERS_MAX * PEER_ID_BYTES);

  reset(entryBytes: 6 | 18): void {
    this.complete = 0;
    this.incomplete = 0;
    this.downloaded = 0;
    this.entryBytes = entryBytes;
    this.peerCount = 0;
  }
}
