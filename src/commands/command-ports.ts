import type { Endpoint } from "../base/endpoint.ts";
import type { MakeFetch } from "../guard/guarded-fetch.ts";
import type { RefusalOf } from "../guard/filtered-net.ts";
import type { OwnNetworks } from "../guard/own-networks.ts";
import type { OpenRangeLine } from "../guard/web-seed-guard.ts";
import type { RouterServiceOptions } from "../nat/router-service.ts";
import type { Clock } from "../ports/clock.ts";
import type { ContentSource, PieceHasher, SlabPool } from "../ports/content.ts";
import type { KeyExchange } from "../ports/key-exchange.ts";
import type { Log } from "../ports/log.ts";
import type {
  DatagramNet,
  HttpCalls,
  HttpFetch,
  MulticastNet,
  PeerTransport,
  Uploads,
} from "../ports/net.ts";
import type { OutsideFaults } from "../ports/outside-faults.ts";
import type { Random } from "../ports/random.ts";
import type { Signatures } from "../ports/signatures.ts";
import type { UserFiles } from "../ports/user-files.ts";

/** What every command takes besides its own options. */
export interface CommandRun<Event> {
  /** Receives events from the beginning to the end of the run, and never after it. */
  readonly onEvent: (event: Event) => void;
  /** Stops the run in order. */
  readonly signal: AbortSignal;
}

/** Ports of a command that reads what a user names. */
export interface SourcePorts {
  readonly files: UserFiles;
  /**
   * Opens a fetcher for a URL that the user names: any page is allowed, and no redirect may lead
   * nearer. Called only when the user names a URL.
   */
  readonly openFetch: () => Promise<HttpFetch>;
}

/** Opens torrents' content on disk, for one command. */
export interface CommandDisk extends ContentSource, PieceHasher {
  createSlabPool(limitBytes: number): SlabPool;
  close(): Promise<void>;
}

/** What a disk is opened for. */
export interface DiskWork {
  readonly bytes: number;
  readonly files: number;
  /** With peers, for as long as the command runs. Otherwise it is read once. */
  readonly isExchanged?: true;
}

/** Ports of a command that reads content. */
export interface DiskPorts {
  /** @param work - The content, where it is known. */
  readonly openDisk: (work?: DiskWork) => CommandDisk;
}

/** What the commands of a user remember of the DHT from one run to the next. */
export interface DhtMemory {
  /** @returns What was saved last; `undefined` when there is nothing that can be read. Never rejects. */
  load(): Promise<Uint8Array | undefined>;
  /** Never rejects: the next run begins with other nodes then. */
  save(state: Uint8Array): Promise<void>;
}

/** Ports of a command that exchanges pieces with peers. */
export interface SessionPorts extends DiskPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly keyExchange: KeyExchange;
  /** @param allowRemote - Called before each connection that we open (house rule 8). */
  readonly openTcp: (allowRemote: (peer: Endpoint) => boolean) => PeerTransport<"tcp">;
  /** Keeps the peers away that the user wants away, over whatever transport. */
  readonly guardTransports: (transports: readonly PeerTransport[]) => readonly PeerTransport[];
  readonly datagrams: DatagramNet;
  readonly multicast: MulticastNet;
  readonly signatures: Signatures;
  /** Absent where nothing is remembered. */
  readonly dhtMemory?: DhtMemory | undefined;
  /** The fetcher for trackers. */
  readonly makeFetch: MakeFetch;
  /** A connection to a web seed. */
  readonly openRangeLine: OpenRangeLine;
  readonly networks: OwnNetworks;
  /** Addresses that a person keeps away; the ways above know of them. */
  readonly refusalOf?: RefusalOf | undefined;
  /** Set when all of these lead through a proxy: nobody reaches us then. */
  readonly behindProxy?: { readonly carriesDatagrams: boolean } | undefined;
  /** How a router is asked, by where we listen; absent where there is none. */
  readonly routerPorts?:
    | ((host: string) => Pick<RouterServiceOptions, "calls" | "places" | "isNear">)
    | undefined;
  readonly log: Log;
  readonly faults?: OutsideFaults | undefined;
}

/** Ports of a command that calls a hub. */
export interface HubPorts {
  readonly clock: Clock;
  readonly calls: HttpCalls;
}

/** Ports of a command that sends content to a hub. */
export interface UploadPorts extends HubPorts {
  readonly files: UserFiles;
  readonly uploads: Uploads;
}
