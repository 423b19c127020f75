import type { DhtNewsEvent } from "./dht-news.ts";
import type { EncryptionMode } from "../base/encryption-mode.ts";
import type { TransportMode } from "../base/transport-mode.ts";
import type { TorrentStats } from "../engine/session-contract.ts";
import type { RouterStatus } from "../nat/router-status.ts";
import type { TrackerStatus } from "../tracker-client/remote-tracker.ts";
import type { CommandRun, SessionPorts, SourcePorts } from "./command-ports.ts";
import type { DhtChoice } from "./one-shot-dht.ts";
import type { NamedPeer } from "./peer-addresses.ts";
import type { Connected } from "./stream-news.ts";
import type { TrackerNewsEvent } from "./tracker-news.ts";
import type { WebSeedNewsEvent } from "./web-seed-news.ts";

export type GetPorts = SourcePorts & SessionPorts;

export interface GetOptions extends CommandRun<GetEvent> {
  /** A .torrent file, a magnet link, or the URL of a torrent. */
  readonly source: string;
  /** Receives the files; created when absent. */
  readonly folder: string;
  /** Globs; none selects everything. */
  readonly select: readonly string[];
  /** Files have their final names from the start, without a suffix until they are complete. */
  readonly finalNames: boolean;
  /** What to do with existing files that do not belong to this download. */
  readonly existing: "proven" | "adopted" | "set-aside";
  /** Keeps a leading dot in the torrent's name; otherwise `.name` is stored visibly as `_.name`. */
  readonly hidden: boolean;
  /** After the download, seed up to this ratio or until the signal. `undefined` ends at once. */
  readonly seed: number | "forever" | undefined;
  readonly listen: { readonly host: string; readonly port: number } | undefined;
  readonly encryption: EncryptionMode;
  readonly transport: TransportMode;
  readonly peers: readonly NamedPeer[];
  /** Announce URLs that the user adds to those of the torrent. */
  readonly trackers: readonly string[];
  /** URLs of the files that the user adds to those of the torrent. */
  readonly webSeeds?: readonly string[] | undefined;
  /** `undefined`: no DHT. */
  readonly dht?: DhtChoice | undefined;
  /** Peers tell each other of others. */
  readonly pex: boolean;
  /** Neighbours are looked for; by default where others can connect to. */
  readonly lsd?: boolean | undefined;
  /** Has the router pass the port on. */
  readonly mapPorts?: boolean | undefined;
  readonly downBytesPerSecond: number | undefined;
  readonly upBytesPerSecond: number | undefined;
}

/** The result of a finished download. */
export interface GotTorrent {
  readonly name: string;
  /** Absolute; the files are below it. */
  readonly root: string;
  /** Bytes of the wanted files. */
  readonly bytes: number;
  /** In this run and in the earlier runs that it resumed. */
  readonly downloaded: number;
  readonly uploaded: number;
}

/** Events during the run. */
export type GetEvent =
  /** Peers can reach us. `waitsForPeers`: no peers are known, so the command waits for incoming ones. */
  | { readonly kind: "ready"; readonly port: number; readonly waitsForPeers: boolean }
  /** The content to fetch is known. */
  | {
      readonly kind: "known";
      readonly name: string;
      readonly files: number;
      readonly bytes: number;
      readonly root: string;
    }
  /** What the peers are connected over, or where they came from, has changed; looked at every second. */
  | ({ readonly kind: "connected" } & Connected)
  /** Sent every second. */
  | { readonly kind: "stats"; readonly phase: GetPhase; readonly stats: TorrentStats }
  | {
      readonly kind: "done";
      readonly bytes: number;
      readonly downloaded: number;
      readonly seconds: number;
    }
  /** Sent once: every tracker has answered or failed, and for some seconds there has been no peer. */
  | {
      readonly kind: "alone";
      readonly trackers: readonly TrackerStatus[];
      /** Addresses in our own network that trackers elsewhere named, and that were not connected to. */
      readonly refused: readonly string[];
    }
  /** What came of asking the router for the port. */
  | { readonly kind: "router"; readonly status: RouterStatus }
  | TrackerNewsEvent
  | DhtNewsEvent
  | WebSeedNewsEvent
  /** Stopped by the signal before completion: the same command resumes. */
  | {
      readonly kind: "stopped";
      /** `undefined` until the existing files were examined. */
      readonly doneBytes: number | undefined;
      readonly wantedBytes: number;
      /** The suffix of unfinished files; `undefined` when they have their final names. */
      readonly suffix: string | undefined;
    }
  | { readonly kind: "banned"; readonly address: string; readonly reason: string }
  | { readonly kind: "trouble"; readonly message: string };

/** `fraction` of a check that precedes the download. */
export type GetPhase =
  | { readonly kind: "finding" }
  | { readonly kind: "checking"; readonly fraction: number }
  | { readonly kind: "downloading" }
  | { readonly kind: "seeding" };
