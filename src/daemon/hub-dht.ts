import { join } from "node:path";
import type { DhtReach } from "../api/reach.ts";
import type { Endpoint } from "../base/endpoint.ts";
import { systemCode } from "../base/system-code.ts";
import { isThisMachineOnly } from "../base/this-machine.ts";
import { PUBLIC_BOOTSTRAP } from "../commands/one-shot-dht.ts";
import type { Infohashes } from "../base/infohash.ts";
import type { Config } from "../config/config.ts";
import { CatalogueAnnouncer } from "../dht/catalogue-announcer.ts";
import { DhtService, type HostPort } from "../dht/dht-service.ts";
import { dhtSource } from "../dht/dht-source.ts";
import { SwarmEstimates } from "../dht/swarm-estimates.ts";
import { VersionKeeper } from "../dht/version-keeper.ts";
import type { PeerSource } from "../engine/session-contract.ts";
import { NodeSignatures } from "../platform/node-signatures.ts";
import type { Clock } from "../ports/clock.ts";
import type { Files } from "../ports/files.ts";
import type { Log } from "../ports/log.ts";
import type { Random } from "../ports/random.ts";
import type { SharedPort } from "../udp/shared-port.ts";
import { AnnouncedCatalogue } from "./announced-catalogue.ts";
import { publishedSeeds, transferSeeds } from "./announced-seeds.ts";
import type { BehindProxy } from "./network.ts";
import { DhtStateFile } from "./dht-state-file.ts";
import { absentDhtReach, dhtReach } from "./dht-reach.ts";

const STATE_NAME = "dht-nodes";
/** Queries of our own, besides those of the catalogue: searches for torrents that are awake, and the table. */
const OTHER_QUERIES_PER_SECOND = 100;
/** Lookups at the same time: half of them for the catalogue. */
const LOOKUPS_MAX = 512;

export interface HubDhtParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly files: Pick<Files, "read" | "write">;
  /** Absolute. */
  readonly dataDir: string;
  /** It has the number of TCP where that is free: peers expect the DHT there. */
  readonly udp: SharedPort;
  /** Set behind a proxy, where nobody reaches the hub. */
  readonly behindProxy?: Pick<BehindProxy, "name"> | undefined;
  /** Where the world connects. */
  readonly outerPort: () => number;
  readonly torrents: Parameters<typeof publishedSeeds>[0];
  /** Absent where the node keeps none. */
  readonly transfers?: Parameters<typeof transferSeeds>[0] | undefined;
  /** House rule 8. */
  readonly judgePeers: (peers: readonly Endpoint[], from: string) => readonly Endpoint[];
  /** Addresses that a person keeps away. */
  readonly refusalOf?: ((address: string) => string | undefined) | undefined;
}

/** The DHT node of a hub. */
export interface HubDht {
  /** The DHT as a source of peers of a torrent that is awake; empty when it is off, or the torrent is private (DHT-7). */
  sources(info: { readonly private: boolean }): readonly PeerSource[];
  handlePublished(infohashes: Infohashes): void;
  handleRemoved(infohashes: Infohashes): void;
  /** Finished transfers, asleep or awake. */
  handleSeed(infohashes: Infohashes): void;
  handleNoSeed(infohashes: Infohashes): void;
  /** Tells whether the everseed's copy is whole, and it is a seed. */
  setWhole(infohashes: Infohashes, isWhole: boolean): void;
  /** Counts members of swarms (BEP 33); `undefined` when it is off. */
  readonly swarms: SwarmEstimates | undefined;
  /** Keeps versions of publications (BEP 46); `undefined` when it is off. */
  readonly versions: VersionKeeper | undefined;
  /** The node; `undefined` when it is off. */
  readonly service: DhtService | undefined;
  status(): DhtReach;
  /** Saves what it knows of the network. */
  close(): Promise<void>;
}

/**
 * Starts the DHT of a hub. It never keeps a hub from starting: when there is no port for it, the log and the status say so.
 */
export async function openHubDht(config: Config, parts: HubDhtParts): Promise<HubDht> {
  const plan = parts.behindProxy ? planBehind(parts.behindProxy) : dhtPlan(config);
  if (!plan.isOn) return absentDht(absentDhtReach("off", plan.words, plan.remedy));
  const { clock, random, log, udp, outerPort, judgePeers } = parts;
  const path = join(parts.dataDir, STATE_NAME);
  const stateFile = new DhtStateFile({ path, files: parts.files, log });
  const state = await stateFile.load();
  const { dhtQueriesPerSecond } = config.discovery;
  const signatures = new NodeSignatures();
  let service: DhtService;
  try {
    service = await DhtService.start({
      clock,
      random,
      log,
      signatures,
      datagrams: udp.part("dht"),
      bootstrap: plan.bootstrap,
      settings: {
        queriesPerSecond: dhtQueriesPerSecond + OTHER_QUERIES_PER_SECOND,
        lookupsMax: LOOKUPS_MAX,
      },
      isKeptAway: (address) => parts.refusalOf?.(address) !== undefined,
      state,
      save: (saved) => stateFile.save(saved),
    });
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    const words = `No UDP port can be opened on ${plan.host}: ${String(error)}.`;
    const remedy = "Free the port and start the hub again; the key engine.port chooses another.";
    log.error(`the DHT is not running. ${words} ${remedy}`);
    return absentDht(absentDhtReach("fails", words, remedy));
  }
  const { dht } = service;
  const announcer = new CatalogueAnnouncer({
    dht,
    clock,
    port: outerPort,
    utpPort: config.engine.transport === "tcp" ? undefined : service.local.port,
    queriesPerSecond: dhtQueriesPerSecond,
  });
  const published = publishedSeeds(parts.torrents);
  const kept = parts.transfers && transferSeeds(parts.transfers);
  const seeds = kept ? [published, kept] : [published];
  const catalogue = new AnnouncedCatalogue({ announcer, seeds, clock, log });
  catalogue.start().catch((error: unknown) => {
    log.error("the catalogue is not announced in the DHT", { cause: String(error) });
  });
  const versions = new VersionKeeper({ dht, clock, random, signatures });
  const swarms = new SwarmEstimates({ dht, clock });
  return {
    swarms,
    versions,
    service,
    sources: (info) => {
      if (info.private) return [];
      // The catalogue announces it.
      return [dhtSource({ dht, clock, random, announces: false, isInfoKnown: true, judgePeers })];
    },
    handlePublished: (infohashes) => catalogue.handleSeed(infohashes),
    handleRemoved: (infohashes) => catalogue.handleNoSeed(infohashes, published),
    handleSeed: (infohashes) => catalogue.handleSeed(infohashes),
    handleNoSeed: (infohashes) => kept && catalogue.handleNoSeed(infohashes, kept),
    setWhole: (infohashes, isWhole) => announcer.setWhole(infohashes, isWhole),
    status: () => {
      const status = { ...dht.status(), catalogue: announcer.status() };
      return dhtReach(status, { port: service.local.port, clock });
    },
    async close() {
      catalogue.close();
      versions.close();
      swarms.close();
      announcer.close();
      service.close();
      await stateFile.close();
    },
  };
}

type DhtPlan =
  | { readonly isOn: false; readonly words: string; readonly remedy: string | null }
  | { readonly isOn: true; readonly host: string; readonly bootstrap: readonly HostPort[] };

/** Where no peer can connect to, there is nothing to announce. */
function planBehind({ name }: Pick<BehindProxy, "name">): DhtPlan {
  const words = `It is off, because peers are reached through ${name} only, and none reaches the hub.`;
  return { isOn: false, words, remedy: null };
}

/** Whether a hub uses the DHT, and what it begins with. A try-out that only this machine reaches sends nothing out. */
export function dhtPlan(config: Pick<Config, "host" | "engine" | "discovery">): DhtPlan {
  const { dht, dhtBootstrap } = config.discovery;
  const host = config.engine.host ?? config.host;
  const isHere = isThisMachineOnly(host);
  if (dht === false) {
    return { isOn: false, words: "The setting discovery.dht turns it off.", remedy: null };
  }
  if (dht === undefined && isHere && dhtBootstrap.length === 0) {
    const words = `It is off, because only this machine reaches the port for peers at ${host}.`;
    const remedy = "The key engine.host opens that port to others: 0.0.0.0 for everybody.";
    return { isOn: false, words, remedy };
  }
  const named = dhtBootstrap.map(parseHostPort);
  return { isOn: true, host, bootstrap: named.length > 0 || isHere ? named : PUBLIC_BOOTSTRAP };
}

function absentDht(status: DhtReach): HubDht {
  return {
    swarms: undefined,
    versions: undefined,
    service: undefined,
    sources: () => [],
    handlePublished: () => undefined,
    handleRemoved: () => undefined,
    handleSeed: () => undefined,
    handleNoSeed: () => undefined,
    setWhole: () => undefined,
    status: () => status,
    close: async () => undefined,
  };
}

/** @param text - As the configuration accepts it. */
function parseHostPort(text: string): HostPort {
  const at = text.lastIndexOf(":");
  return { host: text.slice(0, at).replace(/^\[(.*)\]$/, "$1"), port: Number(text.slice(at + 1)) };
}
