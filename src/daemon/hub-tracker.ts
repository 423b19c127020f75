import { lookup } from "node:dns/promises";
import { join } from "node:path";
import type { Infohashes } from "../base/infohash.ts";
import { addressBytes } from "../base/endpoint.ts";
import { listenOnFirst } from "../commands/listening.ts";
import type { Config } from "../config/config.ts";
import type { OuterPlace } from "../nat/router-service.ts";
import { ownInterfaces } from "../platform/own-interfaces.ts";
import { UdpNet } from "../platform/udp-net.ts";
import type { Clock } from "../ports/clock.ts";
import type { Files } from "../ports/files.ts";
import type { SleepingMarks } from "../mse/sleeping-marks.ts";
import type { Log } from "../ports/log.ts";
import type { DatagramSocket } from "../ports/net.ts";
import type { OutsideFaults } from "../ports/outside-faults.ts";
import type { Random } from "../ports/random.ts";
import type { RequestContext } from "../ports/web.ts";
import type { SwarmCount, SwarmRegistry } from "../publish/swarm-registry.ts";
import type { Store } from "../store/store.ts";
import { lastingUdp, type UdpPlace } from "../tracker/announce-urls.ts";
import { outsideAddresses } from "../tracker/name-lookup.ts";
import { openTracker } from "../tracker/open-tracker.ts";
import { SnapshotFile } from "../tracker/snapshot-file.ts";
import { TorrentDirectory } from "../tracker/torrent-directory.ts";
import type { UdpTracker } from "../tracker/udp-tracker.ts";
import { virtualSeed } from "../tracker/virtual-seed.ts";
import { answerWeb } from "../tracker/web-answer.ts";
import type { HubDht } from "./hub-dht.ts";

const TWO_32 = 0x1_0000_0000;
const SNAPSHOT_NAME = "swarms";

/** The hub's own tracker, as the other parts of the hub see it. */
export interface HubTracker extends SwarmRegistry {
  /** As bound. */
  readonly udpPort: number;
  /** Torrents with peers, and those peers. */
  totals(): { readonly swarms: number; readonly peers: number };
  /** The UDP address for published torrents; `undefined` unless it stays the same after the next start. */
  readonly namedUdp: UdpPlace | undefined;
  /** Answers announces and scrapes on the web port. @returns `undefined` when it is neither. */
  handle(request: Request, context: RequestContext): Response | Promise<Response> | undefined;
  /** Saves the swarms. */
  close(): Promise<void>;
}

export interface HubTrackerParts {
  readonly store: Store;
  readonly files: Files;
  /** Absolute. */
  readonly dataDir: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly faults: OutsideFaults;
  /** The bound ports of the web site and of the everseed's engine. */
  readonly webPort: number;
  readonly peerPort: number;
  /** Where a router passes peers on to that port. */
  readonly outer: () => OuterPlace | undefined;
  /** Both follow what is published. */
  readonly sleeping: SleepingMarks;
  readonly dht: Pick<HubDht, "handlePublished" | "handleRemoved" | "setWhole">;
}

/**
 * Opens the tracker of a hub on the web site's port and on a UDP port.
 *
 * @throws {CommandError} (rejects) When the UDP port cannot be bound.
 */
export async function openHubTracker(config: Config, parts: HubTrackerParts): Promise<HubTracker> {
  const { store, clock, random, log, faults, webPort, peerPort, sleeping, dht } = parts;
  const names = { publicAddress: config.engine.publicAddress, publicUrl: config.publicUrl };
  const named = outsideAddresses(names, clock, systemLookup);
  const seedPlace = {
    host: config.engine.host ?? config.host,
    port: peerPort,
    outside: () => {
      const addresses = named();
      // What its owner names is better than what a router tells.
      return addresses.length > 0 ? addresses : outerAddresses(parts.outer());
    },
    outerPort: () => parts.outer()?.port,
  };
  const { tracker, swarms, http, udp } = openTracker(config.tracker, {
    directory: await readDirectory(store, random),
    totals: store.swarmTotals,
    principalTotals: store.principalTotals,
    // Behind a proxy it takes no calls.
    everseed:
      peerPort === 0
        ? { reachedFrom: () => undefined }
        : virtualSeed(seedPlace, clock, ownAddresses),
    clock,
    random,
    log,
    faults,
  });
  const path = join(parts.dataDir, SNAPSHOT_NAME);
  const snapshot = new SnapshotFile(swarms, { path, files: parts.files, clock, log });
  await snapshot.load((infohash) => tracker.admitRestored(infohash));
  const socket = await bindUdp(udp, config, parts);
  tracker.start();
  const { udpPort, nameUdp } = config.tracker;
  return {
    udpPort: socket.local.port,
    totals: () => ({ swarms: swarms.swarmCount, peers: swarms.peerCount }),
    namedUdp: lastingUdp(
      { host: config.host, port: udpPort, named: nameUdp },
      { port: socket.local.port, webPort },
    ),
    register: (infohashes: Infohashes) => {
      tracker.register(infohashes);
      sleeping.add(infohashes);
      dht.handlePublished(infohashes);
    },
    unregister: (infohashes: Infohashes) => {
      tracker.unregister(infohashes);
      sleeping.delete(infohashes);
      dht.handleRemoved(infohashes);
    },
    setFetched: (infohash, isFetched) => tracker.setFetched(infohash, isFetched),
    setWhole: (infohashes: Infohashes, isWhole: boolean) => {
      tracker.setWhole(infohashes, isWhole);
      dht.setWhole(infohashes, isWhole);
    },
    count: (infohashes: Infohashes): SwarmCount => tracker.figures(infohashes),
    handle: (request, context) => answerWeb(http, request, context, faults),
    async close() {
      socket.close();
      await tracker.stop();
      await snapshot.save();
    },
  };
}

/** Loads what is published and what is being fetched. From here on, the rooms report what changes. */
async function readDirectory(
  { torrents, fetches }: Store,
  random: Random,
): Promise<TorrentDirectory> {
  const open = await fetches.listOpen();
  return new TorrentDirectory({
    key: random.below(TWO_32),
    torrents: torrents.allInfohashes(),
    fetched: open.filter(({ problem }) => problem === null).map(({ infohash }) => infohash),
  });
}

function bindUdp(
  udp: UdpTracker,
  { host, tracker: { udpPort } }: Config,
  { webPort, log }: HubTrackerParts,
): Promise<DatagramSocket> {
  const net = new UdpNet({ log });
  const plan = {
    host,
    ports: udpPort === undefined ? [webPort, 0] : [udpPort],
    setting: "the key tracker.udpPort",
    handleTaken: (port: number) =>
      log.warn(
        `UDP port ${port} is taken by another program: the tracker listens for UDP on a free one, and torrents do not ` +
          "name it. The key tracker.udpPort chooses another",
      ),
  };
  return listenOnFirst(plan, async (address) => {
    const socket = await net.bind({
      ...address,
      receive: (bytes, from) => {
        const reply = udp.answer(bytes, from);
        if (reply) socket.send(reply, from);
      },
    });
    return socket;
  });
}

function outerAddresses(outer: OuterPlace | undefined): Uint8Array[] {
  const bytes = outer?.address === undefined ? undefined : addressBytes(outer.address);
  return bytes ? [bytes] : [];
}

function ownAddresses(): string[] {
  return ownInterfaces().map(({ address }) => address.replace(/%.*$/, ""));
}

async function systemLookup(host: string): Promise<string[]> {
  const found = await lookup(host, { all: true });
  return found.map(({ address }) => address);
}
