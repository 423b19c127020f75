import { HubFetching } from "../commands/hub-fetching.ts";
import type { TorrentAdoption } from "../publish/torrent-adoption.ts";
import { Fetches } from "../publish/fetches.ts";
import type { SpaceAccount } from "../publish/space-account.ts";
import type { HubDht } from "./hub-dht.ts";
import { peerHostOf } from "./hub-engine.ts";
import type { HubTracker } from "./hub-tracker.ts";
import type { NodeEngine } from "./node-engine.ts";
import type { Ends, Ground } from "./node-ground.ts";
import { sessionPorts } from "./session-ports.ts";

/** Opens what fetches torrents that people publish by a magnet link or a .torrent file. */
export async function openHubFetches(
  ground: Ground,
  parts: {
    readonly engine: NodeEngine;
    readonly dht: Pick<HubDht, "service">;
    readonly tracker: HubTracker;
    readonly space: SpaceAccount;
    readonly adoption: TorrentAdoption;
    readonly bytesMax: number | undefined;
  },
  ends: Ends,
): Promise<Fetches> {
  const { config, settings, clock, random, log, faults, disk, folder } = ground;
  const { files, store } = ground.state;
  const { engine, dht, tracker, space, adoption, bytesMax } = parts;
  const fetching = new HubFetching({
    host: peerHostOf(config),
    limits: () => engine.rates.ofNode,
    encryption: engine.encryption,
    transport: engine.transport,
    pex: config.discovery.pex,
    lsd: config.discovery.lsd,
    dht: () => dht.service,
    ports: sessionPorts(log, { network: engine.network, faults }),
  });
  for (const key of ["engine.downBytesPerSecond", "engine.upBytesPerSecond"]) {
    settings.whenChanged<number>(key, () => fetching.handleLimits());
  }
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
    bytesMax,
  });
  ends.push(async () => {
    await fetches.stop();
    await fetching.close();
  });
  await fetches.start();
  return fetches;
}
