import { join, resolve } from "node:path";
import { SessionDht } from "../commands/one-shot-dht.ts";
import { CommandError } from "../commands/command-error.ts";
import { readTorrentSource } from "../commands/torrent-source.ts";
import { TransferSession } from "../commands/transfer-session.ts";
import type { TransferParts } from "../hub/control-parts.ts";
import { MediaLinks } from "../hub/media-links.ts";
import { disksOf } from "../platform/disks.ts";
import { NodeDropFolders } from "../platform/node-drop-folders.ts";
import { NodeUserFiles } from "../platform/node-user-files.ts";
import { TrackerClient } from "../tracker-client/tracker-client.ts";
import type { GivenTorrent } from "../transfers/transfer-adding.ts";
import type { TransferEngine } from "../transfers/transfer-engine.ts";
import { TransfersError } from "../transfers/transfers-error.ts";
import { Transfers } from "../transfers/transfers.ts";
import { WatchFolders } from "../transfers/watch-folders.ts";
import { hubExtensions } from "./hub-neighbours.ts";
import type { NodeDiscovery } from "./node-discovery.ts";
import type { NodeEngine } from "./node-engine.ts";
import type { Ends, Ground } from "./node-ground.ts";
import { openFetch } from "./open-fetch.ts";
import { openTransferTells } from "./transfer-tells.ts";

interface TransfersNeeds {
  readonly engine: NodeEngine;
  readonly discovery: NodeDiscovery;
}

/** Opens the torrents that the node keeps for its owner, and begins with them. */
export async function openTransfers(
  ground: Ground,
  needs: TransfersNeeds,
  ends: Ends,
): Promise<TransferParts> {
  const { config, dataDir, state, disk, clock, random, log, turns } = ground;
  const { engine } = needs;
  const { network } = engine;
  const userFiles = new NodeUserFiles();
  const content = userFiles.below();
  ends.push(async () => content.close());
  const onEvent = await openTransferTells(ground, network, ends);
  const service = new Transfers({
    transfers: state.store.transfers,
    settings: state.store.settings,
    engine: transferEngine(ground, needs, ends),
    hasher: disk,
    files: state.files,
    stateFolder: dataDir,
    content,
    contents: state.store.transferContents,
    contentBelow: (root) => userFiles.below(root),
    hardLinks: config.transfers.hardLinks,
    downloadFolder: resolve(config.transfers.folder ?? join(dataDir, "downloads")),
    clock,
    log,
    run: (work) => turns.run(work),
    matchesGlob: (path, pattern) => userFiles.matchesGlob(path, pattern),
    sleeping: engine.sleeping,
    onEvent,
    seeds: needs.discovery.dht,
    timeZone: Temporal.Now.timeZoneId(),
  });
  engine.sleepers.add({ wake: service.wake, all: () => state.store.transfers.allInfohashes() });
  ends.push(() => service.close());
  await service.begin();
  const ports = { files: userFiles, openFetch: async () => openFetch(network) };
  const openUrl = async (url: string): Promise<GivenTorrent> => {
    const source = await readTorrentSource(ports, url).catch((error: unknown) => {
      if (!(error instanceof CommandError)) throw error;
      const code = error.code === "unreachable" ? "unreachable" : "bad-source";
      throw new TransfersError(code, error.detail, { cause: error });
    });
    return "bytes" in source ? { torrent: source.bytes } : { link: source.link };
  };
  const links = new MediaLinks(random, clock);
  const given = config.transfers.watchFolders.map((each) =>
    typeof each === "string" ? { folder: each } : each,
  );
  const watching = new WatchFolders({
    transfers: service,
    wanted: () => [...service.settings.watchFolders, ...given],
    folders: new NodeDropFolders(),
    clock,
    log,
  });
  ends.push(() => watching.stop());
  watching.start();
  const watched = () => watching.status();
  return { service, openUrl, disks: disksOf, clock, links, watched };
}

function transferEngine(
  { config, clock, random, log }: Ground,
  { engine, discovery }: TransfersNeeds,
  ends: Ends,
): TransferEngine {
  const { session, guard, network, udp, encryption } = engine;
  const judgePeers: typeof guard.judgePeers = (peers, from) => guard.judgePeers(peers, from);
  const { refusalOf } = network;
  const announces = udp.part("tracker");
  const trackers = new TrackerClient({
    clock,
    random,
    http: guard.http,
    // Announces come from the port that trackers name to others.
    datagrams: {
      bind: (options) => announces.bind(options),
      resolve: (host) => guard.datagrams.resolve(host),
    },
    log,
    judgePeers,
    refusalOf,
    encryption,
  });
  ends.push(async () => trackers.close());
  const { service } = discovery.dht;
  const dht =
    service &&
    new SessionDht({
      ports: { clock, random, refusalOf },
      open: async () => ({ service, close: async () => undefined }),
      shared: service,
      guard,
      hasUtp: engine.transport !== "tcp",
    });
  return new TransferSession({
    session,
    guard,
    trackers,
    sources: async (from, nodes, isSeed) => {
      const info = "metainfo" in from ? from.metainfo.info : undefined;
      const onRefused = (node: string): void =>
        log.info("a torrent names a DHT node in our own network, which is not asked", { node });
      const ofDht = (await dht?.sources({ info, nodes, onRefused, announces: !isSeed })) ?? [];
      // What a link with trackers names may be private.
      const mayBePrivate = info?.private ?? ("magnet" in from && from.magnet.trackers.length > 0);
      return [...ofDht, ...discovery.lsd.sources({ private: mayBePrivate })];
    },
    extensions: hubExtensions(config, judgePeers),
    clock,
    setLimits: ({ downBytesPerSecond = 0, upBytesPerSecond = 0 }) =>
      engine.rates.setOfTransfers({ downBytesPerSecond, upBytesPerSecond }),
  });
}
