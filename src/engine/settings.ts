import type { EngineSettings } from "./session-contract.ts";

const MIB = 1024 * 1024;

/** Where other programs have the same default they are named. */
export const DEFAULT_SETTINGS: EngineSettings = {
  /** Connections of all torrents, as in libtorrent. */
  connectionsMax: 200,
  /** Values from 50 to 100 are common. */
  connectionsPerTorrentMax: 80,
  /** For several machines behind one address, and several programs on one machine; more is a flood (WIR-20). */
  connectionsPerAddressMax: 64,
  /** Many addresses in one network do not allow more (WIR-20). */
  connectionsPerNetworkMax: 64,
  /** Connections not yet established. libtorrent opens 30 a second, Transmission 18. */
  halfOpenMax: 30,
  /** Shorter than libtorrent's 15 s: dead addresses must not keep a slot of `halfOpenMax`. */
  connectTimeoutMs: 10_000,
  /** As in libtorrent; WIR-2. */
  handshakeTimeoutMs: 10_000,
  /** Without any byte from the peer, as in libtorrent. Peers send a keep-alive at least every 120 s (BEP 3). */
  idleTimeoutMs: 130_000,
  /** Silence before we send a keep-alive: the 120 s of BEP 3 minus the time that a slow line takes, as in Transmission. */
  keepAliveMs: 100_000,
  /**
   * Regular and optimistic unchokes of all torrents together, as in libtorrent. Torrents with interested peers add slots until
   * each has two, and a line that can feed more adds some.
   */
  uploadSlots: 8,
  /** Requests that we queue for a peer, which we announce as `reqq`; libtorrent sends at most 500 (WIR-6). */
  requestQueueMax: 500,
  /** Bytes per second; 0 is unlimited. */
  downBytesPerSecond: 0,
  upBytesPerSecond: 0,
  /** The largest info dictionary that we accept from peers, as in libtorrent (WIR-10). */
  metadataBytesMax: 30 * MIB,
  /** Interval between saved resumes while something changes: a kill may lose this much (STO-1). */
  resumeIntervalMs: 5_000,
};
