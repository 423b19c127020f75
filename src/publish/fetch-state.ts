/** A torrent that the hub fetches from its swarm, and how far it got. */
export interface Fetch {
  readonly id: string;
  readonly ownerId: string;
  /** 20 bytes, as peers say it. */
  readonly infohash: Uint8Array;
  /** Of the torrent; the infohash until somebody told the name. */
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
  /** What its trackers say now, warnings first; empty when nothing is under way. */
  readonly trackerNotices: readonly TrackerNotice[];
  /** The torrent, once it is published; another one when its content was here before. */
  readonly torrentId: string | null;
}

/**
 * `finding` the details of a magnet link; `checking` what came before a restart; `fetching`; `stalled`: nobody
 * has pieces; `waiting` for the disk; `failed` with the cause; `published`.
 */
export type FetchState =
  | "finding"
  | "checking"
  | "fetching"
  | "stalled"
  | "waiting"
  | "failed"
  | "published";

/** Words of a tracker that a person wants to know. Texts from outside, cut to a length people can read. */
export interface TrackerNotice {
  /** `warning`: it lists us and has something to say (BEP 3). `failure`: it does not list us. */
  readonly kind: "warning" | "failure";
  /** Scheme, host and port: paths hold passkeys. */
  readonly tracker: string;
  readonly message: string;
}
