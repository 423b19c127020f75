import type { Connection } from "../connection/connection.ts";
import type { ConnectionOwner } from "../connection/connection-sink.ts";
import type { Scheduler } from "../sharing/scheduler.ts";
import type { DialHistory } from "../sharing/dial-history.ts";
import type { Bursts } from "../sharing/bursts.ts";
import type { OuterAddresses } from "../sharing/outer-addresses.ts";
import type { EnginePorts, EngineSettings, PeerDht } from "../session-contract.ts";
import type { StreamDecorators } from "../stream-decorator.ts";
import type { PeerWays } from "../swarm/peer-ways.ts";
import type { Reachability } from "../swarm/reachability.ts";
import type { ServerSlots } from "../webseed/server-slots.ts";
import type { RootLeases } from "../storage/root-leases.ts";

/** What the session shares among its torrents. */
export interface TorrentHost {
  readonly ports: EnginePorts;
  readonly settings: EngineSettings;
  readonly peerId: Uint8Array;
  readonly port: number;
  /** At which the world reaches us. */
  readonly outerPort: number;
  readonly scheduler: Scheduler;
  readonly bursts: Bursts;
  /** Our addresses as others see them. */
  readonly outer: OuterAddresses;
  readonly dials: DialHistory;
  readonly reachability: Reachability;
  readonly decorators: StreamDecorators;
  readonly dht: PeerDht | undefined;
  /** Connections to web seeds. */
  readonly webServers: ServerSlots;
  /** A root that a removed torrent is still closing is not opened before it has closed. */
  readonly roots: RootLeases;
  /** Opens a connection; `undefined` when a limit forbids it now. */
  dial(ways: PeerWays, owner: ConnectionOwner, infohash: Uint8Array): Connection | undefined;
  /** There may be a new address to dial. */
  handleCandidates(): void;
  handleDisconnected(connection: Connection): void;
  /** Memory that a torrent waits for was returned, or a limit was changed. */
  handleRoom(): void;
}
