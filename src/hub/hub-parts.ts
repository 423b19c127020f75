import type { Accounts, Credentials } from "../accounts/accounts.ts";
import type { Actor } from "../accounts/permissions.ts";
import type { PageAssets, PageRenderer } from "../api/pages.ts";
import type { Clock } from "../ports/clock.ts";
import type { Files } from "../ports/files.ts";
import type { Log } from "../ports/log.ts";
import type { OutsideFaults } from "../ports/outside-faults.ts";
import type { Random } from "../ports/random.ts";
import type { Catalogue } from "../publish/catalogue.ts";
import type { EverseedFigures } from "../publish/everseed.ts";
import type { Fetches } from "../publish/fetches.ts";
import type { Publications } from "../publish/publications.ts";
import type { Publisher, PublishLimits } from "../publish/publisher.ts";
import type { StoredContents } from "../publish/stored-contents.ts";
import type { SwarmRegistry } from "../publish/swarm-registry.ts";
import type { Turns } from "../publish/turns.ts";
import type { Asset } from "./assets.ts";
import type { DirectDownloads } from "./direct-downloads.ts";
import type { RequestContext } from "../ports/web.ts";
import type { WorkAccount } from "./work-budget.ts";

/** Everything the hub shows and calls; `daemon/` puts it together. */
export interface HubParts {
  readonly accounts: Accounts;
  readonly publisher: Publisher;
  readonly fetches: Fetches;
  readonly catalogue: Catalogue;
  readonly contents: StoredContents;
  readonly publications: Publications;
  readonly downloads: DirectDownloads;
  /** Shares the thread among everything that takes a while. */
  readonly turns: Turns;
  readonly swarms: Pick<SwarmRegistry, "count">;
  readonly everseed: (torrentId: string) => EverseedFigures;
  /** For each piece the connected peers that have it but not all; undefined when nobody is there. */
  readonly partialCopies: (torrentId: string) => Uint16Array | undefined;
  /** Tells the everseed that a file of it was not as it should be. */
  readonly lookAt: (torrentId: string) => void;
  readonly site: Site;
  readonly limits: PublishLimits;
  /** Loaded when the first page is asked for. */
  readonly renderer: () => Promise<PageRenderer>;
  readonly pageAssets: PageAssets;
  /** By path on the site. */
  readonly assets: ReadonlyMap<string, Asset>;
  /** Answers announces and scrapes. @returns `undefined` when it is neither. */
  readonly tracker: (request: Request, context: RequestContext) => Response | undefined;
  readonly files: Files;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly faults: OutsideFaults;
  /** True when an error of another layer means that the disk is full. */
  readonly isDiskFull: (error: unknown) => boolean;
}

/** What the site says about itself. */
export interface Site {
  readonly version: string;
  readonly name: () => string;
  readonly rename: (name: string) => Promise<void>;
  /** Address for links, without a slash at the end; `undefined` follows the request's `Host`. */
  readonly publicUrl: string | undefined;
  /** Host names that are answered, besides loopback and the address a request came to. */
  readonly hosts: ReadonlySet<string>;
  /** Where the hub is reached when nobody asks by another name; without a slash at the end. */
  readonly url: string;
  /** The hub's announce URLs, which every torrent names first. */
  readonly trackers: readonly string[];
  readonly dataFolder: string;
  readonly freeBytes: () => Promise<number | null>;
}

/** What routes find in hono's context. */
export interface HubEnv {
  Bindings: RequestContext;
  Variables: {
    actor: Actor;
    credentials: Credentials;
    /** Pays for what the request makes the thread do. */
    work: WorkAccount;
    /** Absolute address of the site as this request sees it. */
    origin: string;
  };
}
