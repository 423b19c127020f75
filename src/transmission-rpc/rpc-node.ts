import type { GivenTorrent } from "../transfers/transfer-adding.ts";

/** How a node and its peers find and reach each other, as far as Transmission has words for it. */
export interface NodeWays {
  readonly dht: boolean;
  readonly lsd: boolean;
  readonly pex: boolean;
  readonly utp: boolean;
  readonly portForwarding: boolean;
  readonly encryption: "required" | "preferred" | "tolerated";
  /** Peers connected at once. */
  readonly connectionsMax: number;
}

/** What the room needs of the node beside its transfers; `daemon/` connects it. */
export interface RpcNode {
  readonly version: string;
  readonly peerPort: () => number;
  /** Absolute. */
  readonly stateFolder: string;
  readonly connectionsPerTorrentMax: number;
  /** Lists of addresses that nothing is exchanged with. */
  readonly filterLists: number;
  readonly memoryBytes: number;
  /** As they are wanted: some hold after the next start only. */
  ways(): NodeWays;
  /** Changes all of them, or none. @returns Why none was changed, in words. */
  changeWays(change: Partial<NodeWays>): Promise<string | undefined>;
  /** True when somebody outside our own networks connected since the start. */
  wasReached(): boolean;
  /** Bytes on the disk that holds a folder; `undefined` when it is not there. */
  space(folder: string): Promise<{ readonly free: number; readonly total: number } | undefined>;
  /** Fetches what a URL names. @throws {TransfersError} (rejects) */
  openUrl(url: string): Promise<GivenTorrent>;
}
