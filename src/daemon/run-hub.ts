import { hostname } from "node:os";
import { resolve } from "node:path";
import { crc32 } from "node:zlib";
import type { DhtReach } from "../api/reach.ts";
import type { Config } from "../config/config.ts";
import { controlSocketIn, runtimeIn } from "../config/places.ts";
import { ControlApi } from "../hub/control-api.ts";
import type { ControlParts } from "../hub/control-parts.ts";
import { DirectDownloads } from "../hub/direct-downloads.ts";
import { Hub } from "../hub/hub.ts";
import { SleepingMarks } from "../mse/sleeping-marks.ts";
import { NodeClock } from "../platform/node-clock.ts";
import { NodeDisk } from "../platform/node-disk.ts";
import type { NodeFiles } from "../platform/node-files.ts";
import { NodeRandom } from "../platform/node-random.ts";
import { NodeUserFiles } from "../platform/node-user-files.ts";
import { ownInterfaces } from "../platform/own-interfaces.ts";
import type { Log } from "../ports/log.ts";
import { DataFolder } from "../publish/data-folder.ts";
import { Everseed } from "../publish/everseed.ts";
import { Fetches } from "../publish/fetches.ts";
import { SlabLine } from "../publish/slab-line.ts";
import { SpaceAccount } from "../publish/space-account.ts";
import { READ_BYTES_MAX, StoredContents } from "../publish/stored-contents.ts";
import { TorrentLibrary } from "../publish/torrent-library.ts";
import { Turns } from "../publish/turns.ts";
import { storeErrorCode } from "../store/store-error.ts";
import { BoundedLog } from "../platform/bounded-log.ts";
import { isoTime } from "../base/iso-time.ts";
import { systemCode } from "../base/system-code.ts";
import { announceUrls } from "../tracker/announce-urls.ts";

import { type HubDht, openHubDht } from "./hub-dht.ts";
import { tryControlSocket } from "./control-socket.ts";
import { openHubEngine, peerHostOf } from "./hub-engine.ts";
import { hubGuard } from "./hub-guard.ts";
import {
  hubExtensions,
  type HubNeighbours,
  openHubNeighbours,
  pexReach,
  superSeedingReach,
} from "./hub-neighbours.ts";
import { HubFetching } from "../commands/hub-fetching.ts";
import { InPlaceInbox } from "../commands/in-place-inbox.ts";
import { FaultCounts } from "../platform/fault-counts.ts";
import { openHubRouter } from "./hub-router.ts";
import { openHubServer } from "./hub-server.ts";
import { closedFileTrouble } from "../commands/data-folder-trouble.ts";
import { type HubState, openAccounts, openHubState } from "./hub-state.ts";
import { openHubTracker } from "./hub-tracker.ts";
import { openPublishing } from "./hub-publishing.ts";
import { openChosenNetwork } from "./open-network.ts";
import { loadPages } from "./load-pages.ts";
import { sessionPorts } from "./session-ports.ts";
import type { EncryptionMode } from "../base/encryption-mode.ts";
import type { Session } from "../engine/session.ts";
import { engineReach, OutsideCalls } from "./engine-reach.ts";
import type { HubConfig } from "./hub-config.ts";
import { ownNetworks } from "./open-fetch.ts";
import { ReachSettings } from "./reach-settings.ts";
import { namesItself, webSeedReach, type WebSeedNaming } from "./web-seed-reach.ts";
import { memoryShares } from "../config/memory-shares.ts";
import { unnamedProxyNotice, warnOfUnnamedProxy } from "../hub/proxy-notices.ts";
import { isReachableSite, localUrl, siteHosts } from "../hub/site-address.ts";
import { endParts } from "../platform/end-parts.ts";
import { publishLimits } from "../publish/publish-limits.ts";
import { SiteName } from "../hub/site-name.ts";
import { everseedVersion } from "../platform/version.ts";

/** Concurrent reads for direct downloads. */
const READS_MAX = 32;
/**
 * The longest orderly stop (STO-13); whatever still hangs then is left to the kill-safe formats.
 */
const STOP_MS_MAX = 8_000;

/** A running hub. */
export interface RunningHub {
  /** The address for browsers. */
  readonly url: string;
  /** The one-time link; `undefined` when there is an administrator. */
  readonly setupLink: string | undefined;
  readonly dataDir: string;
  /** As bound. */
  readonly webPort: number;
  readonly peerPort: number;
  readonly udpPort: number;
  /** Bytes of the everseed since the start. */
  stats(): { uploaded: number; downloaded: number; peers: number };
  /** How the DHT is doing. */
  dht(): DhtReach;
  /** Faults of others since the start, by kind. */
  faults(): FaultCounts["totals"];
  /** Ends within 10 s; safe to repeat. */
  stop(): Promise<void>;
}

/**
 * Composes a hub: opens the state, binds the ports, connects the rooms.
 *
 * @param origins - Who gave which key of the settings: for the others, the values that the page stored hold.
 * @throws {CommandError} (rejects) When the data folder or a port is unavailable; nothing is left
 * running.
 */
export async function runHub(
  config: Config,
  everyLine: Log,
  origins: HubConfig["origins"] = new Map(),
): Promise<RunningHub> {
  const clock = new NodeClock();
  const log = new BoundedLog(everyLine, clock);
  const undo: (() => Promise<void>)[] = [async () => log.close()];
  try {
    return await compose({ config, origins }, { clock, log }, undo);
  } catch (error) {
    await endParts(undo, { log, msMax: STOP_MS_MAX });
    throw closedFileTrouble(error, resolve(config.dataDir), process.getuid?.());
  }
}

/** @param undo - Collects a stop function for each part that was started. */
async function compose(
  asked: Pick<HubConfig, "config" | "origins">,
  { clock, log }: { readonly clock: NodeClock; readonly log: Log },
  undo: (() => Promise<void>)[],
): Promise<RunningHub> {
  const dataDir = resolve(asked.config.dataDir);
  const state = await openHubState(dataDir);
  undo.push(() => state.close());
  const socket = await tryControlSocket(controlSocketIn(runtimeIn(dataDir)), log);
  undo.push(async () => socket?.close());
  const reachSettings = await ReachSettings.load(asked, state.store.settings, log);
  const { config } = reachSettings;
  const faults = new FaultCounts(clock, log);
  undo.push(async () => faults.close());
  const server = await openHubServer({
    ...config,
    onUnnamedProxy: unnamedProxyNotice(log),
    faults,
  });
  undo.push(() => server.close());
  warnOfUnnamedProxy(config, server.port, log);
  const serverUrl = localUrl(server, ownInterfaces);
  const siteUrl = config.publicUrl ? new URL(config.publicUrl).origin : serverUrl;

  const startedAt = isoTime(clock.wallMs());
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
    turns,
    log,
    onChanged: (id) => contents.forget(id),
    // Peers may wake torrents before the DHT is open.
    sources: (info) => [...(hubDht?.sources(info) ?? []), ...(neighbours?.sources(info) ?? [])],
    swarms: { setWhole: (infohashes, isWhole) => tracker.setWhole(infohashes, isWhole) },
    superSeeding: config.discovery.superSeeding,
    extensions: hubExtensions(config, (peers, from) => guard.judgePeers(peers, from)),
  });
  let hubDht: HubDht | undefined;
  let neighbours: HubNeighbours | undefined;
  const encryption = reachSettings.live<EncryptionMode>("engine.encryption");
  const calls = new OutsideCalls(ownNetworks(), clock);
  const sleeping = new SleepingMarks({ clock, all: () => store.torrents.allInfohashes() });
  const network = await openChosenNetwork({ ...config.engine, mayWait: true }, log);
  undo.push(async () => network[Symbol.dispose]());
  const guard = hubGuard(network);
  const engine = await openHubEngine(config, {
    sleeping,
    network,
    clock,
    random,
    disk,
    log,
    faults,
    encryption,
    onCall: (remote) => calls.handleCall(remote),
    wake: everseed.wake,
    allowRemote: (peer) => guard.admitPeer(peer),
  });
  undo.push(async () => {
    everseed.stop();
    await engine.close();
  });
  const { session } = engine;
  const dht = (hubDht = await openHubDht(config, {
    clock,
    random,
    log,
    files,
    dataDir,
    udp: engine.udp,
    behindProxy: network.behindProxy,
    outerPort: () => session.outerPort,
    torrents: store.torrents,
    judgePeers: (peers, from) => guard.judgePeers(peers, from),
    refusalOf: network.refusalOf,
  }));
  undo.push(() => dht.close());
  const router = openHubRouter(config, {
    clock,
    random,
    log,
    session,
    udp: engine.udp,
    behindProxy: network.behindProxy,
  });
  undo.push(() => router.close());
  everseed.start(session);
  const lsd = (neighbours = await openHubNeighbours(config, {
    clock,
    random,
    log,
    multicast: network.multicast,
    behindProxy: network.behindProxy,
    port: () => session.port,
    judgePeers: (peers, from) => guard.judgePeers(peers, from),
    wake: everseed.wake,
  }));
  undo.push(async () => lsd.close());
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
    outer: () => router.outer(),
    sleeping,
    dht,
  });
  undo.push(() => tracker.close());

  const accounts = openAccounts(state, { siteUrl, clock, random, log });
  undo.push(async () => accounts.close());
  const trackers = announceUrls(siteUrl, tracker.namedUdp);
  const memory = memoryShares(config.limits.memoryBytesMax);
  const { uploadBytesMax } = config.limits;
  const limits = publishLimits({ uploadBytesMax, ingestBytes: memory.ingest });
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
  const { publisher, publications, versions, catalogue, sharing, adoption } = openPublishing({
    ingestBytes: memory.ingest,
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
    dht,
    trackers,
    limits,
  });
  undo.push(() => publications.stop());
  await publications.start();
  await versions.start();
  undo.push(() => publisher.stop());
  await publisher.start();
  const downLimit = reachSettings.live<number>(DOWN_KEY);
  const upLimit = reachSettings.live<number>(UP_KEY);
  const fetching = new HubFetching({
    host: peerHostOf(config),
    limits: () => ({ downBytesPerSecond: downLimit(), upBytesPerSecond: upLimit() }),
    encryption,
    transport: config.engine.transport,
    pex: config.discovery.pex,
    lsd: config.discovery.lsd,
    ports: sessionPorts(log, { network, faults }),
  });
  followLimits(reachSettings, session, fetching);
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
  undo.push(() => inbox.stop());
  await inbox.start();
  undo.push(() => sharing.stop());
  sharing.start();

  const pages = await loadPages();
  const siteName = await SiteName.load({
    configured: config.siteName,
    publicUrl: config.publicUrl,
    systemName: hostname(),
    settings: store.settings,
  });
  const isReachable = isReachableSite(config.publicUrl, siteUrl);
  const wantsWebSeeds = reachSettings.live<boolean>("discovery.webSeeds");
  const webSeedNaming = (): WebSeedNaming => {
    return { isWanted: wantsWebSeeds(), isReachable, isLimited: upLimit() > 0, siteUrl };
  };
  const isDiskFull = (error: unknown): boolean =>
    storeErrorCode(error) === "disk-full" || systemCode(error) === "ENOSPC";
  const control: ControlParts = {
    node: () => ({
      version,
      pid: process.pid,
      startedAt,
      preset: "hub",
      dataFolder: dataDir,
      configFile: null,
      socket: socket?.path ?? null,
      peerPort: session.port,
      webPort: server.port,
      udpPort: tracker.udpPort,
      services: [],
    }),
  };
  const hub = new Hub({
    ...pages,
    control,
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
    faults,
    swarms: tracker,
    everseed: (id) => everseed.figures(id),
    peers: (id) => everseed.peers(id),
    partialCopies: (id) => everseed.partialCopies(id),
    downloads: new DirectDownloads(clock),
    lookAt: (id) => everseed.look(id),
    tracker: (request, context) => tracker.handle(request, context),
    site: {
      version,
      name: () => siteName.current,
      rename: (name) => siteName.rename(name),
      publicUrl: config.publicUrl && siteUrl,
      url: siteUrl,
      hosts: siteHosts(config, siteUrl),
      trackers,
      namesWebSeeds: () => namesItself(webSeedNaming()),
      dataFolder: dataDir,
      freeBytes: () => freeBytes(files, dataDir),
    },
    activity: () => ({
      startedAt,
      everseed: everseed.totals(),
      tracker: { ...tracker.totals(), udpPort: tracker.udpPort },
    }),
    reach: {
      change: (change) => reachSettings.change(change),
      view: () => ({
        settings: reachSettings.view(),
        parts: {
          ...engineReach({ session, host: peerHostOf(config), encryption, calls }),
          router: router.status(),
          dht: dht.status(),
          webSeeds: webSeedReach(webSeedNaming()),
          pex: pexReach(config),
          superSeeding: superSeedingReach(config),
          lsd: lsd.status(),
          ...network.reach(),
        },
      }),
    },
    isDiskFull,
  });
  const setupKey = await accounts.openSetup();
  await store.settings.set("local-url", serverUrl);
  server.serve((request, context) => hub.handle(request, context));
  const api = new ControlApi({ ...control, clock, turns, random, log, isDiskFull });
  socket?.serve((request, context) => api.handle(request, context));
  undo.push(async () => hub.close());

  let stopping: Promise<void> | undefined;
  return {
    url: siteUrl,
    setupLink: setupKey && `${serverUrl}/setup#${setupKey}`,
    dataDir,
    webPort: server.port,
    peerPort: session.port,
    udpPort: tracker.udpPort,
    stats: () => everseed.totals(),
    dht: () => dht.status(),
    faults: () => faults.totals,
    stop: () => (stopping ??= endParts(undo, { log, msMax: STOP_MS_MAX })),
  };
}

const CONNECTIONS_KEY = "engine.connectionsMax";
const DOWN_KEY = "engine.downBytesPerSecond";
const UP_KEY = "engine.upBytesPerSecond";

/** Limits that the page changes hold at once, for the everseed and for torrents that are being fetched. */
function followLimits(settings: ReachSettings, session: Session, fetching: HubFetching): void {
  settings.whenChanged<number>(CONNECTIONS_KEY, (connectionsMax) =>
    session.setLimits({ connectionsMax }),
  );
  settings.whenChanged<number>(DOWN_KEY, (downBytesPerSecond) => {
    session.setLimits({ downBytesPerSecond });
    fetching.handleLimits();
  });
  settings.whenChanged<number>(UP_KEY, (upBytesPerSecond) => {
    session.setLimits({ upBytesPerSecond });
    fetching.handleLimits();
  });
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
