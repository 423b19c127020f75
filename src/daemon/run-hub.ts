import { torrentPagePath, webSeedPath } from "../api/paths.ts";
import { invariant } from "../base/errors.ts";
import { hostname } from "node:os";
import { resolve } from "node:path";
import { crc32 } from "node:zlib";
import type { Config } from "../config/config.ts";
import { DirectDownloads } from "../hub/direct-downloads.ts";
import { Hub } from "../hub/hub.ts";
import { asHostName } from "../base/host-name.ts";
import { hostName } from "../hub/request-gate.ts";
import { NodeClock } from "../platform/node-clock.ts";
import { NodeDisk } from "../platform/node-disk.ts";
import type { NodeFiles } from "../platform/node-files.ts";
import { NodeRandom } from "../platform/node-random.ts";
import { ownInterfaces } from "../platform/own-interfaces.ts";
import type { Log } from "../ports/log.ts";
import { Catalogue, magnetOf } from "../publish/catalogue.ts";
import { ContentSharing } from "../publish/content-sharing.ts";
import { DataFolder } from "../publish/data-folder.ts";
import { DraftUploads } from "../publish/draft-uploads.ts";
import { Everseed } from "../publish/everseed.ts";
import { Fetches } from "../publish/fetches.ts";
import { Finisher } from "../publish/finisher.ts";
import { Publications } from "../publish/publications.ts";
import { Publisher, type PublishLimits } from "../publish/publisher.ts";
import { SlabLine } from "../publish/slab-line.ts";
import { SpaceAccount } from "../publish/space-account.ts";
import { READ_BYTES_MAX, StoredContents } from "../publish/stored-contents.ts";
import { TorrentAdoption } from "../publish/torrent-adoption.ts";
import { TorrentLibrary } from "../publish/torrent-library.ts";
import { Turns } from "../publish/turns.ts";
import { storeErrorCode } from "../store/store-error.ts";
import { BoundedLog } from "../platform/bounded-log.ts";
import { systemCode } from "../base/system-code.ts";
import { announceUrls } from "../tracker/announce-urls.ts";
import { openHubEngine } from "./hub-engine.ts";
import { HubFetching } from "./hub-fetching.ts";
import { InPlaceInbox } from "./in-place-inbox.ts";
import { FaultCounts } from "../platform/fault-counts.ts";
import type { WebServer } from "../platform/web-server.ts";
import { openHubServer } from "./hub-server.ts";
import { closedFileTrouble, type HubState, openAccounts, openHubState } from "./hub-state.ts";
import { type HubTracker, openHubTracker } from "./hub-tracker.ts";
import { loadPages } from "./load-pages.ts";
import { defaultSiteName } from "../hub/site-name.ts";
import { everseedVersion } from "../platform/version.ts";

/** Of `limits.memoryBytesMax`, for pieces being uploaded; the engine has the other half. */
const INGEST_SHARE = 1 / 2;
/** Two pieces of this length fit into the ingest memory, or fewer bytes when there is less. */
const PIECE_BYTES_MAX = 32 * 1024 * 1024;
/** Reads for direct downloads that are under way at once. */
const READS_MAX = 32;
/** An orderly stop takes no longer (STO-13); what then still hangs is left to the kill-safe formats. */
const STOP_MS_MAX = 8_000;

/** A hub that answers. */
export interface RunningHub {
  /** Where people open it. */
  readonly url: string;
  /** The one-time link; `undefined` when there is an administrator. */
  readonly setupLink: string | undefined;
  readonly dataDir: string;
  /** As bound. */
  readonly webPort: number;
  readonly peerPort: number;
  readonly udpPort: number;
  /** Of the everseed, since start. */
  stats(): { uploaded: number; downloaded: number; peers: number };
  /** What others did wrong since start, by kind. */
  faults(): FaultCounts["totals"];
  /** Ends within 10 s; safe to repeat. */
  stop(): Promise<void>;
}

/**
 * Composes a hub: opens the state, binds the ports, introduces the rooms to each other.
 *
 * @throws {CommandError} (rejects) When the data folder or a port cannot be had; nothing is left running.
 */
export async function runHub(config: Config, everyLine: Log): Promise<RunningHub> {
  const clock = new NodeClock();
  const log = new BoundedLog(everyLine, clock);
  const undo: (() => Promise<void>)[] = [async () => log.close()];
  try {
    return await compose(config, { clock, log }, undo);
  } catch (error) {
    await unwind(undo, log);
    throw closedFileTrouble(error, resolve(config.dataDir));
  }
}

/** @param undo - Gets, as they come to be, the ways to end the parts. */
async function compose(
  config: Config,
  { clock, log }: Pick<World, "clock" | "log">,
  undo: (() => Promise<void>)[],
): Promise<RunningHub> {
  const dataDir = resolve(config.dataDir);
  const state = await openHubState(dataDir);
  undo.push(() => state.close());
  const faults = new FaultCounts(clock, log);
  undo.push(async () => faults.close());
  const server = await openHubServer({ ...config, onUnnamedProxy: tellOnce(log), faults });
  undo.push(() => server.close());
  warnOfProxy(config, server, log);
  const siteUrl = config.publicUrl ? new URL(config.publicUrl).origin : urlOf(server);

  const random = new NodeRandom();
  const disk = new NodeDisk({ log });
  undo.push(() => disk.close());
  const { files, store } = state;
  const folder = new DataFolder(dataDir);
  const turns = new Turns(clock);
  const library = new TorrentLibrary({ files, folder, log, turns });
  const everseed = new Everseed({
    torrents: store.torrents,
    library,
    folder,
    files,
    content: disk,
    clock,
    log,
    onChanged: (id) => contents.forget(id),
    swarms: { setWhole: (infohashes, isWhole) => tracker.setWhole(infohashes, isWhole) },
  });
  const session = await openHubEngine(config, {
    clock,
    random,
    disk,
    log,
    faults,
    wake: everseed.wake,
  });
  undo.push(async () => {
    everseed.stop();
    await session.close();
  });
  everseed.start(session);
  const tracker = await openHubTracker(config, {
    store,
    files,
    dataDir,
    clock,
    random,
    log,
    faults,
    webPort: server.port,
    peerPort: session.port,
  });
  undo.push(() => tracker.close());

  const accounts = openAccounts(state, { siteUrl, clock, random, log });
  undo.push(async () => accounts.close());
  const trackers = announceUrls(siteUrl, tracker.namedUdp);
  const limits = publishLimits(config);
  const version = everseedVersion();
  const contents = new StoredContents({
    torrents: store.torrents,
    library,
    folder,
    files,
    content: disk,
    slabs: new SlabLine(disk.createSlabPool(READ_BYTES_MAX * READS_MAX)),
    sums: store.fileSums,
    crc32,
    turns,
    clock,
    log,
    report: (row, piece, intact) => everseed.handleJudged(row, piece, intact),
  });
  undo.push(async () => contents.close());

  const space = new SpaceAccount({ drafts: store.drafts, folder, files });
  const { publisher, publications, catalogue, sharing, adoption } = openPublishing({
    config,
    space,
    state,
    clock,
    random,
    log,
    disk,
    folder,
    library,
    turns,
    everseed,
    contents,
    tracker,
    trackers,
    limits,
  });
  undo.push(() => publications.stop());
  await publications.start();
  undo.push(() => publisher.stop());
  await publisher.start();
  const fetching = new HubFetching({
    host: config.engine.host ?? config.host,
    downBytesPerSecond: config.engine.downBytesPerSecond,
    upBytesPerSecond: config.engine.upBytesPerSecond,
    log,
    faults,
  });
  const fetches = new Fetches({
    fetches: store.fetches,
    torrents: store.torrents,
    space,
    adoption,
    swarms: tracker,
    engine: fetching,
    hasher: disk,
    folder,
    files,
    clock,
    random,
    log,
    bytesMax: limits.uploadBytesMax,
  });
  undo.push(async () => {
    await fetches.stop();
    await fetching.close();
  });
  await fetches.start();
  const inbox = new InPlaceInbox({
    dataDir,
    adoption,
    ownerId: () => administratorId(state),
    addressesOf: async (id) => {
      const listing = await catalogue.find(id);
      invariant(listing, "what was published a moment ago is in the catalogue");
      const webSeeds = [siteUrl + webSeedPath(id)];
      return {
        title: listing.name,
        pageUrl: siteUrl + torrentPagePath(id, listing.name),
        magnet: magnetOf(listing, { trackers, webSeeds }),
      };
    },
    files,
    random,
    log,
  });
  undo.push(() => inbox.stop());
  await inbox.start();
  undo.push(() => sharing.stop());
  sharing.start();

  const pages = await loadPages();
  let siteName =
    config.siteName ??
    (await store.settings.get("site-name")) ??
    defaultSiteName(config.publicUrl, hostname());
  const hub = new Hub({
    ...pages,
    accounts,
    publisher,
    publications,
    fetches,
    catalogue,
    contents,
    turns,
    limits,
    files,
    clock,
    random,
    log,
    faults,
    swarms: tracker,
    everseed: (id) => everseed.figures(id),
    partialCopies: (id) => everseed.partialCopies(id),
    downloads: new DirectDownloads(clock),
    lookAt: (id) => everseed.look(id),
    tracker: (request, context) => tracker.handle(request, context),
    site: {
      version,
      name: () => siteName,
      rename: async (name) => {
        await store.settings.set("site-name", name);
        siteName = name;
      },
      publicUrl: config.publicUrl && siteUrl,
      url: siteUrl,
      hosts: hostsOf(config, siteUrl),
      trackers,
      dataFolder: dataDir,
      freeBytes: () => freeBytes(files, dataDir),
    },
    isDiskFull: (error) => storeErrorCode(error) === "disk-full" || systemCode(error) === "ENOSPC",
  });
  const setupKey = await accounts.openSetup();
  await store.settings.set("local-url", urlOf(server));
  server.serve((request, context) => hub.handle(request, context));
  undo.push(async () => hub.close());

  let stopping: Promise<void> | undefined;
  return {
    url: siteUrl,
    setupLink: setupKey && `${urlOf(server)}/setup#${setupKey}`,
    dataDir,
    webPort: server.port,
    peerPort: session.port,
    udpPort: tracker.udpPort,
    stats: () => everseed.totals(),
    faults: () => faults.totals,
    stop: () => (stopping ??= unwind(undo, log)),
  };
}

type World = {
  readonly clock: NodeClock;
  readonly random: NodeRandom;
  readonly disk: NodeDisk;
  readonly log: Log;
};

function openPublishing(
  parts: World & {
    readonly config: Config;
    readonly state: HubState;
    readonly space: SpaceAccount;
    readonly folder: DataFolder;
    readonly library: TorrentLibrary;
    readonly turns: Turns;
    readonly everseed: Everseed;
    readonly contents: StoredContents;
    readonly tracker: HubTracker;
    readonly trackers: readonly string[];
    readonly limits: PublishLimits;
  },
): {
  publisher: Publisher;
  publications: Publications;
  catalogue: Catalogue;
  sharing: ContentSharing;
  adoption: TorrentAdoption;
} {
  const { state, folder, library, turns, clock, random, log, disk, limits, trackers } = parts;
  const { files } = state;
  const { torrents, removedTorrents, drafts, fileCopies, settings } = state.store;
  const memory = parts.config.limits.memoryBytesMax * INGEST_SHARE;
  const uploads = new DraftUploads({
    drafts,
    folder,
    files,
    turns,
    clock,
    log,
    content: disk,
    slabs: new SlabLine(disk.createSlabPool(memory)),
  });
  const sharing = new ContentSharing({
    torrents,
    copies: fileCopies,
    settings,
    library,
    folder,
    files,
    log,
  });
  const publications = new Publications({
    torrents,
    removed: removedTorrents,
    drafts,
    copies: fileCopies,
    library,
    swarms: parts.tracker,
    everseed: parts.everseed,
    contents: parts.contents,
    folder,
    files,
    clock,
    log,
  });
  const finisher = new Finisher({
    publications,
    torrents,
    drafts,
    sharing,
    folder,
    files,
    turns,
    clock,
    log,
    trackers,
    swarms: parts.tracker,
    everseed: {
      isDamaged: (id) => parts.everseed.isDamaged(id),
      replace: async (id, replace) => {
        await parts.everseed.replace(id, replace);
        parts.contents.forget(id);
      },
    },
  });
  return {
    sharing,
    publications,
    adoption: new TorrentAdoption({
      torrents,
      publications,
      folder,
      files,
      clock,
      trackers,
      sharing,
      swarms: parts.tracker,
    }),
    publisher: new Publisher({
      drafts,
      uploads,
      finisher,
      space: parts.space,
      folder,
      files,
      clock,
      random,
      log,
      limits,
      turns,
    }),
    catalogue: new Catalogue({ torrents, drafts, library, folder, turns }),
  };
}

/** Whoever may write to the data folder acts for the first administrator. */
async function administratorId({ store }: HubState): Promise<string | undefined> {
  return (await store.accounts.findAdministrator())?.id;
}

function publishLimits(config: Config): PublishLimits {
  const { uploadBytesMax, memoryBytesMax } = config.limits;
  return {
    uploadBytesMax: uploadBytesMax === 0 ? undefined : uploadBytesMax,
    pieceBytesMax: Math.min(PIECE_BYTES_MAX, (memoryBytesMax * INGEST_SHARE) / 2),
  };
}

/** @returns `null` when nobody knows. */
async function freeBytes(files: NodeFiles, folder: string): Promise<number | null> {
  const bytes = await files.freeBytes(folder).catch(() => Number.POSITIVE_INFINITY);
  return Number.isFinite(bytes) ? bytes : null;
}

/** What to do is the same whenever it is seen, so it is said the first time. */
function tellOnce(log: Log): (address: string) => void {
  let told = false;
  return (address) => {
    if (told) return;
    told = true;
    log.error(
      `a proxy at ${address} passes requests on, but "proxies" does not name it: everybody behind it looks like ` +
        `one address, setup is closed to it, and its peers are told of to nobody. Try: proxies: [${address}]`,
    );
  };
}

/** Says at the start what else only shows when the first stranger comes. */
function warnOfProxy({ publicUrl, proxies }: Config, server: WebServer, log: Log): void {
  if (publicUrl === undefined || proxies.length > 0) return;
  const { protocol, port } = new URL(publicUrl);
  if (protocol === "http:" && Number(port || 80) === server.port) return;
  log.warn(
    `"publicUrl" says that a proxy stands in front, but "proxies" is empty: everybody behind it will look like ` +
      "one address. When it runs on this machine, try: proxies: [127.0.0.1]",
  );
}

/** How people on this machine or, when everybody may come, in this network reach the server. */
function urlOf(server: WebServer): string {
  return `http://${asHostName(reachableHost(server.host))}:${server.port}`;
}

function reachableHost(host: string): string {
  if (host !== "0.0.0.0" && host !== "::") return host;
  const outer = ownInterfaces().find((entry) => !entry.internal && entry.family === "IPv4");
  return outer?.address ?? "127.0.0.1";
}

function hostsOf(config: Config, siteUrl: string): Set<string> {
  const names = [...config.allowedHosts, new URL(siteUrl).host, config.host];
  return new Set(names.map((name) => hostName(name) ?? name.toLowerCase()));
}

/** Ends parts in the reverse order of their beginning; one that fails or hangs does not keep the others. */
async function unwind(undo: (() => Promise<void>)[], log: Log): Promise<void> {
  const deadline = new Promise<void>((resolve) => {
    setTimeout(resolve, STOP_MS_MAX).unref();
  });
  for (const end of undo.splice(0).toReversed()) {
    try {
      await Promise.race([end(), deadline]);
    } catch (error) {
      log.warn("a part did not end well", { why: String(error) });
    }
  }
}
