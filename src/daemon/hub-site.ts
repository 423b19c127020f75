import { hostname } from "node:os";
import { InPlaceInbox } from "../commands/in-place-inbox.ts";
import { memoryShares } from "../config/memory-shares.ts";
import type { Accounts } from "../accounts/accounts.ts";
import type { ControlParts } from "../hub/control-parts.ts";
import { DirectDownloads } from "../hub/direct-downloads.ts";
import { Hub } from "../hub/hub.ts";
import type { ReachService } from "../hub/hub-parts.ts";
import { isReachableSite, siteHosts } from "../hub/site-address.ts";
import type { TransmissionRoute } from "../hub/transmission-route.ts";
import { SiteName } from "../hub/site-name.ts";
import type { NodeFiles } from "../platform/node-files.ts";
import { NodeUserFiles } from "../platform/node-user-files.ts";
import { publishLimits } from "../publish/publish-limits.ts";
import { SpaceAccount } from "../publish/space-account.ts";
import { announceUrls } from "../tracker/announce-urls.ts";
import { engineReach } from "./engine-reach.ts";
import { openHubEverseed } from "./hub-everseed.ts";
import { openHubFetches } from "./hub-fetches.ts";
import { peerHostOf } from "./hub-engine.ts";
import { pexReach, superSeedingReach } from "./hub-neighbours.ts";
import { openPublishing } from "./hub-publishing.ts";
import type { HubState } from "./hub-state.ts";
import type { HubTracker } from "./hub-tracker.ts";
import { isDiskFull } from "./is-disk-full.ts";
import { loadPages } from "./load-pages.ts";
import type { NodeDiscovery } from "./node-discovery.ts";
import type { NodeEngine } from "./node-engine.ts";
import type { Ends, Ground } from "./node-ground.ts";
import type { SitePort } from "./site-port.ts";
import { namesItself, webSeedReach, type WebSeedNaming } from "./web-seed-reach.ts";

export interface HubSiteParts {
  readonly port: SitePort;
  readonly engine: NodeEngine;
  readonly discovery: NodeDiscovery;
  readonly tracker: HubTracker;
  readonly control: ControlParts;
  readonly accounts: Accounts;
  readonly transmission: TransmissionRoute | undefined;
}

/** The web site of a hub, what is published there, and the everseed that keeps it. */
export interface HubSite {
  readonly url: string;
  /** The one-time link; `undefined` when there is an administrator. */
  readonly setupLink: string | undefined;
  /** Bytes of the everseed since the start. */
  stats(): { uploaded: number; downloaded: number; peers: number };
}

export async function openHubSite(
  ground: Ground,
  parts: HubSiteParts,
  ends: Ends,
): Promise<HubSite> {
  const { config, dataDir, state, folder, clock, random, log, turns } = ground;
  const { files, store } = state;
  const { port, engine, discovery, tracker, control, accounts, transmission } = parts;
  const { siteUrl, server } = port;
  const { everseed, contents, library } = openHubEverseed(ground, parts, ends);
  const trackers = tracker.udpPort === 0 ? [] : announceUrls(siteUrl, tracker.namedUdp);
  const memory = memoryShares(config.limits.memoryBytesMax);
  const { uploadBytesMax } = config.limits;
  const limits = publishLimits({ uploadBytesMax, ingestBytes: memory.ingest });
  const space = new SpaceAccount({ drafts: store.drafts, folder, files });
  const { publisher, publications, versions, catalogue, sharing, adoption } = openPublishing({
    ...ground,
    ingestBytes: memory.ingest,
    space,
    library,
    everseed,
    contents,
    tracker,
    dht: discovery.dht,
    trackers,
    limits,
  });
  ends.push(() => publications.stop());
  await publications.start();
  await versions.start();
  ends.push(() => publisher.stop());
  await publisher.start();
  const fetches = await openHubFetches(
    ground,
    { engine, dht: discovery.dht, tracker, space, adoption, bytesMax: limits.uploadBytesMax },
    ends,
  );
  const inbox = new InPlaceInbox({
    dataDir,
    adoption,
    versions,
    ownerId: () => administratorId(state),
    catalogue,
    siteUrl,
    trackers,
    paths: new NodeUserFiles(),
    clock,
    files,
    random,
    log,
  });
  ends.push(() => inbox.stop());
  await inbox.start();
  ends.push(() => sharing.stop());
  sharing.start();

  const pages = await loadPages();
  const siteName = await SiteName.load({
    configured: config.siteName,
    publicUrl: config.publicUrl,
    systemName: hostname(),
    settings: store.settings,
  });
  const webSeeds = webSeedNaming(ground, parts);
  const hub = new Hub({
    ...pages,
    accounts,
    publisher,
    publications,
    versions,
    fetches,
    catalogue,
    contents,
    turns,
    limits,
    files,
    clock,
    random,
    log,
    faults: ground.faults,
    swarms: tracker,
    dhtSwarms: discovery.dht.swarms ?? { look: () => undefined, known: () => undefined },
    everseed: (id) => everseed.figures(id),
    peers: (id) => everseed.peers(id),
    partialCopies: (id) => everseed.partialCopies(id),
    downloads: new DirectDownloads(clock),
    lookAt: (id) => everseed.look(id),
    tracker: (request, context) => tracker.handle(request, context),
    site: {
      version: ground.version,
      name: () => siteName.current,
      rename: (name) => siteName.rename(name),
      publicUrl: config.publicUrl && siteUrl,
      url: siteUrl,
      hosts: siteHosts(config, siteUrl),
      trackers,
      namesWebSeeds: () => namesItself(webSeeds()),
      dataFolder: dataDir,
      freeBytes: () => freeBytes(files, dataDir),
    },
    activity: () => ({
      startedAt: ground.startedAt,
      everseed: everseed.totals(),
      tracker: { ...tracker.totals(), udpPort: tracker.udpPort },
    }),
    reach: reachService(ground, parts, webSeeds),
    control,
    transmissionRoute: transmission,
    isDiskFull,
  });
  const setupKey = await accounts.openSetup();
  await store.settings.set("local-url", port.serverUrl);
  server.serve((request, context) => hub.handle(request, context));
  ends.push(async () => hub.close());
  return {
    url: siteUrl,
    setupLink: setupKey && `${port.serverUrl}/setup#${setupKey}`,
    stats: () => everseed.totals(),
  };
}

/** Whether torrents name the site as web seed, and why not. */
function webSeedNaming(
  { config, settings }: Ground,
  { engine, port: { siteUrl } }: HubSiteParts,
): () => WebSeedNaming {
  const isReachable = isReachableSite(config.publicUrl, siteUrl);
  const wantsWebSeeds = settings.live<boolean>("discovery.webSeeds");
  return () => ({
    isWanted: wantsWebSeeds(),
    isReachable,
    isLimited: engine.rates.ofNode.upBytesPerSecond > 0,
    siteUrl,
  });
}

/** What the page "Connections" shows and changes. */
function reachService(
  { config, settings }: Ground,
  { engine, discovery }: HubSiteParts,
  webSeeds: () => WebSeedNaming,
): ReachService {
  const { session, encryption, calls, network } = engine;
  return {
    change: (change) => settings.change(change),
    view: () => ({
      settings: settings.view(network.troubles()),
      parts: {
        ...engineReach({ session, host: peerHostOf(config), encryption, calls }),
        router: discovery.router.status(),
        dht: discovery.dht.status(),
        webSeeds: webSeedReach(webSeeds()),
        pex: pexReach(config),
        superSeeding: superSeedingReach(config),
        lsd: discovery.lsd.status(),
        ...network.reach(),
      },
    }),
  };
}

/** A user who may write to the data folder acts for the first administrator. */
async function administratorId({ store }: HubState): Promise<string | undefined> {
  return (await store.accounts.findAdministrator())?.id;
}

/** @returns `null` when it is unknown. */
async function freeBytes(files: NodeFiles, folder: string): Promise<number | null> {
  const bytes = await files.freeBytes(folder).catch(() => Number.POSITIVE_INFINITY);
  return Number.isFinite(bytes) ? bytes : null;
}
