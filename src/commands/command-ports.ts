import type { Endpoint } from "../base/endpoint.ts";
import type { MakeFetch } from "../guard/guarded-fetch.ts";
import type { OwnNetworks } from "../guard/own-networks.ts";
import type { Clock } from "../ports/clock.ts";
import type { ContentSource, PieceHasher, SlabPool } from "../ports/content.ts";
import type { Log } from "../ports/log.ts";
import type { DatagramNet, HttpCalls, HttpFetch, StreamNet, Uploads } from "../ports/net.ts";
import type { OutsideFaults } from "../ports/outside-faults.ts";
import type { Random } from "../ports/random.ts";
import type { UserFiles } from "../ports/user-files.ts";

/** What every command takes, besides its own options. */
export interface CommandRun<Event> {
  /** Told on the way, from the beginning to the end of the run and never after it. */
  readonly onEvent: (event: Event) => void;
  /** Ends the run in order. */
  readonly signal: AbortSignal;
}

/** Ports of a command that reads what a person names. */
export interface SourcePorts {
  readonly files: UserFiles;
  /** Opens what fetches a URL that the person names: any page, and no redirect leads nearer. Called when the person names a URL. */
  readonly openFetch: () => Promise<HttpFetch>;
}

/** Content of torrents on a disk, opened for one command. */
export interface CommandDisk extends ContentSource, PieceHasher {
  createSlabPool(limitBytes: number): SlabPool;
  close(): Promise<void>;
}

/** Ports of a command that reads content. */
export interface DiskPorts {
  /** @param work - What is going to be read once; content that is kept open when absent. */
  readonly openDisk: (work?: { readonly bytes: number; readonly files: number }) => CommandDisk;
}

/** Ports of a command that exchanges pieces with peers. */
export interface SessionPorts extends DiskPorts {
  readonly clock: Clock;
  readonly random: Random;
  /** @param allowRemote - Asked before each connection that we open (house rule 8). */
  readonly openNet: (allowRemote: (peer: Endpoint) => boolean) => StreamNet;
  readonly datagrams: DatagramNet;
  /** To trackers. */
  readonly makeFetch: MakeFetch;
  readonly networks: OwnNetworks;
  readonly log: Log;
  readonly faults?: OutsideFaults | undefined;
}

/** Whoever asks a hub. */
export interface HubPorts {
  readonly clock: Clock;
  readonly calls: HttpCalls;
}

/** Whoever sends content to a hub. */
export interface UploadPorts extends HubPorts {
  readonly files: UserFiles;
  readonly uploads: Uploads;
}
