import type { EngineSettings } from "./session-contract.ts";

const MIB = 1024 * 1024;

/** Sheet 12 names what other programs use; "lt" is libtorrent, "tr" Transmission. */
export const DEFAULT_SETTINGS: EngineSettings = {
  /** Connections of all torrents, as lt. */
  connectionsMax: 200,
  /** Usual are 50 to 100. */
  connectionsPerTorrentMax: 80,
  /** Machines behind one address, and several programs of one machine; more is a flood (WIR-20). */
  connectionsPerAddressMax: 64,
  /** No more for having many addresses (WIR-20). */
  connectionsPerNetworkMax: 64,
  /** Connections not yet established. lt opens 30 a second, tr 18. */
  halfOpenMax: 30,
  /** As lt (15 s), shorter: a slot of `halfOpenMax` is not to be held by the dead. */
  connectTimeoutMs: 10_000,
  /** As lt; WIR-2. */
  handshakeTimeoutMs: 10_000,
  /** Without any byte from the peer, as lt. Peers send a keep-alive every 120 s at the latest (BEP 3). */
  idleTimeoutMs: 130_000,
  /** Silence before we send a keep-alive: below the 120 s of BEP 3 by the time a slow line takes, as tr. */
  keepAliveMs: 100_000,
  /**
   * Regular and optimistic unchokes of all torrents together, as lt. Each torrent that somebody wants something of adds
   * to them until each has two, and a line that can feed more adds some.
   */
  uploadSlots: 8,
  /** Requests we queue for a peer and say so (`reqq`); lt sends at most 500 (WIR-6). */
  requestQueueMax: 500,
  /** Bytes per second; 0 is unlimited. */
  downBytesPerSecond: 0,
  upBytesPerSecond: 0,
  /** Largest info dictionary taken from peers, as lt (WIR-10). */
  metadataBytesMax: 30 * MIB,
  /** Between two savings of resume data while something changes: what a kill may cost (STO-1). */
  resumeIntervalMs: 5_000,
};
