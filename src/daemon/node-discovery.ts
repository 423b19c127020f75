import type { PeerSource } from "../engine/session-contract.ts";
import { type HubDht, openHubDht } from "./hub-dht.ts";
import { type HubNeighbours, openHubNeighbours } from "./hub-neighbours.ts";
import { type HubRouter, openHubRouter } from "./hub-router.ts";
import type { NodeEngine } from "./node-engine.ts";
import type { Ends, Ground } from "./node-ground.ts";

/** How the torrents of a node find peers, and peers the node, besides trackers. */
export interface NodeDiscovery {
  readonly dht: HubDht;
  readonly router: HubRouter;
  readonly lsd: HubNeighbours;
  /** Of a torrent that the DHT need not announce because the catalogue does. */
  sources(info: { readonly private: boolean }): readonly PeerSource[];
}

/** Opens what the settings turn on. None of it keeps a node from starting. */
export async function openNodeDiscovery(
  ground: Ground,
  engine: NodeEngine,
  ends: Ends,
): Promise<NodeDiscovery> {
  const { config, clock, random, log, dataDir, state } = ground;
  const { session, network, udp, guard } = engine;
  const { behindProxy } = network;
  const world = { clock, random, log, behindProxy };
  const judgePeers: typeof guard.judgePeers = (peers, from) => guard.judgePeers(peers, from);
  const dht = await openHubDht(config, {
    ...world,
    files: state.files,
    dataDir,
    udp,
    outerPort: () => session.outerPort,
    torrents: state.store.torrents,
    transfers: config.services.transfers ? state.store.transfers : undefined,
    judgePeers,
    refusalOf: network.refusalOf,
  });
  ends.push(() => dht.close());
  const router = openHubRouter(config, { ...world, session, udp });
  ends.push(() => router.close());
  const lsd = await openHubNeighbours(config, {
    ...world,
    multicast: network.multicast,
    port: () => session.port,
    judgePeers,
    wake: engine.sleepers.wake,
  });
  ends.push(async () => lsd.close());
  return {
    dht,
    router,
    lsd,
    sources: (info) => [...dht.sources(info), ...lsd.sources(info)],
  };
}
