import type { Slowness } from "../engine/session-contract.ts";

/** A torrent that the hub fetches from its swarm, and its progress. */
export interface Fetch {
  readonly id: string;
  readonly ownerId: string;
  /** 20 bytes, the wire form. */
  readonly infohash: Uint8Array;
  /** The torrent's name; the infohash until the name is known. */
  readonly name: string;
  readonly createdMs: number;
  readonly state: FetchState;
  /** Why it failed, or what it waits for. */
  readonly problem: string | null;
  /** Bytes of all files; null until the details are known. */
  readonly size: number | null;
  readonly bytesDone: number;
  readonly bytesPerSecond: number;
  readonly peers: number;
  /** Why it is no faster; null while nothing is downloaded. */
  readonly slowness: Slowness | null;
  /** Current messages of its trackers, warnings first; empty when it is not running. */
  readonly trackerNotices: readonly TrackerNotice[];
  /** The torrent, once it is published; another one when its content was already here. */
  readonly torrentId: string | null;
}

/**
 * `finding` the details of a magnet link; `checking` data from before a restart; `fetching`; `stalled`: no peer has
 * the pieces; `waiting` for the disk; `failed` with the cause; `published`.
 */
export type FetchState =
  | "finding"
  | "checking"
  | "fetching"
  | "stalled"
  | "waiting"
  | "failed"
  | "published";

/** A tracker's message for people. Text from outside, cut to a readable length. */
export interface TrackerNotice {
  /** `warning`: it lists us and has something to say (BEP 3). `failure`: it does not list us. */
  readonly kind: "warning" | "failure";
  /** Scheme, host and port only, because paths hold passkeys. */
  readonly tracker: string;
  readonly message: string;
}
