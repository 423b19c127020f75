import type { Accounts, Credentials } from "../accounts/accounts.ts";
import type { Actor } from "../accounts/permissions.ts";
import type { PageAssets, PageRenderer } from "../api/pages.ts";
import type { HubStatus } from "../api/hub-status.ts";
import type { Reach, ReachChange } from "../api/reach.ts";
import type { Infohashes } from "../base/infohash.ts";
import type { Clock } from "../ports/clock.ts";
import type { Files } from "../ports/files.ts";
import type { Log } from "../ports/log.ts";
import type { OutsideFaults } from "../ports/outside-faults.ts";
import type { Random } from "../ports/random.ts";
import type { Catalogue } from "../publish/catalogue.ts";
import type { EverseedFigures, EverseedPeers } from "../publish/everseed.ts";
import type { Fetches } from "../publish/fetches.ts";
import type { Publications } from "../publish/publications.ts";
import type { Publisher, PublishLimits } from "../publish/publisher.ts";
import type { StoredContents } from "../publish/stored-contents.ts";
import type { TorrentVersions } from "../publish/torrent-versions.ts";
import type { SwarmRegistry } from "../publish/swarm-registry.ts";
import type { Turns } from "../publish/turns.ts";
import type { Asset } from "./assets.ts";
import type { ControlParts } from "./control-parts.ts";
import type { DirectDownloads } from "./direct-downloads.ts";
import type { RequestContext } from "../ports/web.ts";
import type { TransmissionRoute } from "./transmission-route.ts";
import type { WorkAccount } from "./work-budget.ts";

/** Everything the hub shows and calls; `daemon/` composes it. */
export interface HubParts {
  readonly accounts: Accounts;
  readonly publisher: Publisher;
  readonly fetches: Fetches;
  readonly catalogue: Catalogue;
  readonly contents: StoredContents;
  readonly publications: Publications;
  readonly versions: Pick<TorrentVersions, "accept" | "listOf">;
  readonly downloads: DirectDownloads;
  /** Shares the thread among all tasks that take a while. */
  readonly turns: Turns;
  readonly swarms: Pick<SwarmRegistry, "count">;
  /** How many take part by the DHT; `undefined` where nobody knows. Never asked about private torrents (DHT-7). */
  readonly dhtSwarms: DhtSwarms;
  readonly everseed: (torrentId: string) => EverseedFigures;
  /** For each piece, the number of connected partial peers that have it; undefined when there are none. */
  readonly partialCopies: (torrentId: string) => Uint16Array | undefined;
  /** The connected peers of a torrent; undefined while it sleeps. */
  readonly peers: (torrentId: string) => EverseedPeers | undefined;
  /** Tells the everseed that one of its files may be damaged. */
  readonly lookAt: (torrentId: string) => void;
  readonly site: Site;
  readonly reach: ReachService;
  readonly control: ControlParts;
  /** Transmission's RPC; absent unless it is turned on. */
  readonly transmissionRoute?: Pick<TransmissionRoute, "handle"> | undefined;
  /** What the hub does, and has done since its start. */
  readonly activity: () => Activity;
  readonly limits: PublishLimits;
  /** Loaded with the first page. */
  readonly renderer: () => Promise<PageRenderer>;
  readonly pageAssets: PageAssets;
  /** By path on the site. */
  readonly assets: ReadonlyMap<string, Asset>;
  /** Answers announces and scrapes. @returns `undefined` when the request is neither. */
  readonly tracker: (
    request: Request,
    context: RequestContext,
  ) => Response | Promise<Response> | undefined;
  readonly files: Files;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly faults: OutsideFaults;
  /** True when an error of another layer means that the disk is full. */
  readonly isDiskFull: (error: unknown) => boolean;
}

export interface DhtSwarms {
  /** What is known now; asks for more when that is nothing, or old. */
  look(infohashes: Infohashes): CountedSwarm | undefined;
  /** The same without asking. */
  known(infohashes: Infohashes): CountedSwarm | undefined;
}

/** Members of a swarm, about. */
interface CountedSwarm {
  readonly seeds: number;
  readonly leechers: number;
  /** Wall milliseconds. */
  readonly atMs: number;
}

/** The site's own description. */
export interface Site {
  readonly version: string;
  readonly name: () => string;
  readonly rename: (name: string) => Promise<void>;
  /** Address for links, without a trailing slash; when `undefined`, links follow the request's `Host`. */
  readonly publicUrl: string | undefined;
  /** Host names to answer to, besides loopback and the address that a request came to. */
  readonly hosts: ReadonlySet<string>;
  /** The hub's address when the request names no other; without a trailing slash. */
  readonly url: string;
  /** The hub's announce URLs, which come first in every torrent. */
  readonly trackers: readonly string[];
  /** Torrents name the hub's own downloads as web seed. */
  readonly namesWebSeeds: () => boolean;
  readonly dataFolder: string;
  readonly freeBytes: () => Promise<number | null>;
}

export type Activity = Pick<HubStatus, "startedAt" | "everseed" | "tracker">;

/** How peers find and reach the hub, and the settings of it. */
export interface ReachService {
  view(): Reach;
  /** Changes settings: all of them, or none. @returns Why none was changed; `undefined` after success. */
  change(change: ReachChange): Promise<ReachRefusal | undefined>;
}

/** Why a setting was not changed, in words for people. `set-elsewhere`: what gave it wins over the page. */
export interface ReachRefusal {
  readonly kind: "unknown" | "set-elsewhere" | "bad-value";
  readonly key: string;
  readonly message: string;
}

/** The values that routes find in hono's context. */
export interface HubEnv {
  Bindings: RequestContext;
  Variables: {
    actor: Actor;
    credentials: Credentials;
    /** Pays for the work that the request causes. */
    work: WorkAccount;
    /** Absolute address of the site, as seen by this request. */
    origin: string;
  };
}
