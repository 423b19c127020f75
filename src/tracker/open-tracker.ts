import { networkList } from "../base/network-list.ts";
import type { Clock } from "../ports/clock.ts";
import type { Log } from "../ports/log.ts";
import type { OutsideFaults } from "../ports/outside-faults.ts";
import type { Random } from "../ports/random.ts";
import { OPEN_ADMISSION, RegisteredAdmission } from "./admission.ts";
import { CompactSwarms } from "./compact-swarms.ts";
import { FullScrape } from "./full-scrape.ts";
import { HttpTracker } from "./http-tracker.ts";
import { Keyring } from "./keyring.ts";
import { PrincipalTotals } from "./principal-totals.ts";
import type { TorrentDirectory } from "./torrent-directory.ts";
import { Tracker, type VirtualSeed } from "./tracker.ts";
import { UdpTracker } from "./udp-tracker.ts";

/** The same for all clients, which echo it (PUB-3.4). */
const TRACKER_ID = "EVERTRACKER";
// Bounds of the memory for swarms (TRK-10): about 300 MB with details, at most.
const SWARMS_MAX = 1_000_000;
const PEERS_MAX = 4_000_000;
const PEERS_PER_SWARM_MAX = 250_000;

/** The settings of a tracker. */
export interface TrackerSettings {
  readonly intervalSeconds: number;
  readonly minIntervalSeconds: number;
  readonly requestsPerSecondMax: number;
  readonly fullScrape: boolean;
  /** Tracks any torrent, not only registered ones. */
  readonly open: boolean;
  readonly peersPerAddress: number;
  readonly peersPerAddressInSwarm: number;
  /** Networks whose addresses are shared by many people. */
  readonly sharedAddresses: readonly string[];
  /** Networks whose peers may name another address. */
  readonly believeAddressesFrom: readonly string[];
}

export interface TrackerParts {
  readonly directory: TorrentDirectory;
  readonly totals: ConstructorParameters<typeof Tracker>[0]["totals"];
  readonly principalTotals: ConstructorParameters<typeof PrincipalTotals>[0];
  readonly everseed: VirtualSeed;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly faults: OutsideFaults;
}

/**
 * A tracker with its two entrances, HTTP and UDP. It does nothing on its own until `tracker.start`.
 */
export interface OpenedTracker {
  readonly tracker: Tracker;
  readonly swarms: CompactSwarms;
  readonly http: HttpTracker;
  readonly udp: UdpTracker;
}

/** Builds a tracker from its settings: for registered torrents only, or an open one. */
export function openTracker(settings: TrackerSettings, parts: TrackerParts): OpenedTracker {
  const { clock, random, log, faults } = parts;
  const { intervalSeconds: intervalS, minIntervalSeconds: minIntervalS, open } = settings;
  const swarms = new CompactSwarms({
    random,
    // An open tracker is a large one: 8 bytes a peer instead of 48.
    details: !open,
    peerTimeoutS: intervalS * 2 + minIntervalS,
    minIntervalS,
    swarmsMax: SWARMS_MAX,
    peersMax: PEERS_MAX,
    peersPerSwarmMax: PEERS_PER_SWARM_MAX,
    peersPerAddressMax: settings.peersPerAddress,
    peersPerAddressInSwarmMax: settings.peersPerAddressInSwarm,
    isShared: networkList(settings.sharedAddresses),
  });
  const tracker = new Tracker({
    swarms,
    directory: parts.directory,
    totals: parts.totals,
    everseed: parts.everseed,
    // No credentials are issued yet, so every credential is unknown. The part that issues them will fill the keyring.
    admission: open ? OPEN_ADMISSION : new RegisteredAdmission(new Keyring()),
    principalTotals: open ? undefined : new PrincipalTotals(parts.principalTotals, parts),
    requestsPerSecondMax: settings.requestsPerSecondMax,
    believesClaimsFrom: networkList(settings.believeAddressesFrom),
    clock,
    random,
    log,
  });
  const policy = { intervalS, minIntervalS, trackerId: TRACKER_ID, warningMessage: "" };
  const scrape = settings.fullScrape ? new FullScrape(tracker, { clock, minIntervalS }) : undefined;
  return {
    tracker,
    swarms,
    http: new HttpTracker(tracker, policy, scrape),
    udp: new UdpTracker(tracker, { intervalS, clock, random, faults }),
  };
}
