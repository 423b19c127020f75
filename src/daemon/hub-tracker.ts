import { lookup } from "node:dns/promises";
import { join } from "node:path";
import { encodeFailure } from "../announce/http-answer.ts";
import { parseTrackerPath } from "../announce/tracker-path.ts";
import { invariant } from "../base/errors.ts";
import { addressBytes } from "../base/endpoint.ts";
import type { Infohashes } from "../base/infohash.ts";
import type { Config } from "../config/config.ts";
import type { RequestContext } from "../ports/web.ts";
import { ownInterfaces } from "../platform/own-interfaces.ts";
import { UdpNet } from "../platform/udp-net.ts";
import type { Clock } from "../ports/clock.ts";
import type { Files } from "../ports/files.ts";
import type { Log } from "../ports/log.ts";
import type { DatagramSocket } from "../ports/net.ts";
import type { OutsideFaults } from "../ports/outside-faults.ts";
import type { Random } from "../ports/random.ts";
import type { SwarmCount, SwarmRegistry } from "../publish/swarm-registry.ts";
import type { Store } from "../store/store.ts";
import { OPEN_ADMISSION, RegisteredAdmission } from "../tracker/admission.ts";
import { CompactSwarms } from "../tracker/compact-swarms.ts";
import { FullScrape } from "../tracker/full-scrape.ts";
import { HttpTracker } from "../tracker/http-tracker.ts";
import { Keyring } from "../tracker/keyring.ts";
import { PrincipalTotals } from "../tracker/principal-totals.ts";
import { restoreSnapshot, encodeSnapshot } from "../tracker/snapshot.ts";
import { TorrentDirectory } from "../tracker/torrent-directory.ts";
import { Tracker } from "../tracker/tracker.ts";
import { UdpTracker } from "../tracker/udp-tracker.ts";
import type { CommandError } from "../commands/command-error.ts";
import type { UdpPlace } from "../tracker/announce-urls.ts";
import { networkList } from "../base/network-list.ts";
import { listenTrouble } from "../commands/open-session.ts";
import { nameLookup } from "../tracker/name-lookup.ts";
import { type SeedPlace, virtualSeed } from "../tracker/virtual-seed.ts";

/** The same for everybody; clients echo it (PUB-3.4). */
const TRACKER_ID = "EVERTRACKER";
const TWO_32 = 0x1_0000_0000;
const SNAPSHOT_NAME = "swarms";
// Bounds of the memory for swarms (TRK-10): about 300 MB with details, at most.
const SWARMS_MAX = 1_000_000;
const PEERS_MAX = 4_000_000;
const PEERS_PER_SWARM_MAX = 250_000;
/** Behind a proxy that sends no `X-Forwarded-For`, or that the owner has not named. */
const ADDRESS_UNKNOWN =
  "this tracker does not know your address; its owner has to look after its proxy";
/** A client's own request carries none of these. */
const PROXY_HEADERS = ["x-forwarded-for", "forwarded", "x-real-ip", "via"];

/** The hub's own tracker, as its other parts see it. */
export interface HubTracker extends SwarmRegistry {
  /** As bound. */
  readonly udpPort: number;
  /** What published torrents may name; `undefined` unless it is there after the next start, too. */
  readonly namedUdp: UdpPlace | undefined;
  /** Answers announces and scrapes on the web port. @returns `undefined` when it is neither. */
  handle(request: Request, context: RequestContext): Response | undefined;
  /** Saves who is in the swarms. */
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
  /** As bound: of the web site, and of the everseed's engine. */
  readonly webPort: number;
  readonly peerPort: number;
}

/**
 * Opens the tracker of a hub: published torrents only, unless told otherwise; over HTTP and UDP.
 *
 * @throws {CommandError} (rejects) When the UDP port cannot be had.
 */
export async function openHubTracker(config: Config, parts: HubTrackerParts): Promise<HubTracker> {
  const { store, clock, random, log } = parts;
  const { intervalSeconds, minIntervalSeconds, requestsPerSecondMax, fullScrape, open } =
    config.tracker;
  const { peersPerAddress, peersPerAddressInSwarm, sharedAddresses } = config.tracker;
  const swarms = new CompactSwarms({
    random,
    // An open tracker is a large one: 8 bytes a peer instead of 48.
    details: !open,
    peerTimeoutS: intervalSeconds * 2 + minIntervalSeconds,
    minIntervalS: minIntervalSeconds,
    swarmsMax: SWARMS_MAX,
    peersMax: PEERS_MAX,
    peersPerSwarmMax: PEERS_PER_SWARM_MAX,
    peersPerAddressMax: peersPerAddress,
    peersPerAddressInSwarmMax: peersPerAddressInSwarm,
    isShared: networkList(sharedAddresses),
  });
  const tracker = new Tracker({
    swarms,
    directory: await readDirectory(store, random),
    totals: store.swarmTotals,
    everseed: virtualSeed(seedPlace(config, parts), clock, ownAddresses),
    // Nobody is given a credential yet, so that each of them is unknown. Whoever gives them out fills the keyring.
    admission: open ? OPEN_ADMISSION : new RegisteredAdmission(new Keyring()),
    principalTotals: open ? undefined : new PrincipalTotals(store.principalTotals, log),
    requestsPerSecondMax,
    believesClaimsFrom: networkList(config.tracker.believeAddressesFrom),
    clock,
    random,
    log,
  });
  const snapshot = new SnapshotFile(join(parts.dataDir, SNAPSHOT_NAME), parts, swarms, tracker);
  await snapshot.load();
  const policy = {
    intervalS: intervalSeconds,
    minIntervalS: minIntervalSeconds,
    trackerId: TRACKER_ID,
    warningMessage: "",
  };
  const http = new HttpTracker(
    tracker,
    policy,
    fullScrape ? new FullScrape(tracker, { clock, minIntervalS: minIntervalSeconds }) : undefined,
  );
  const udp = new UdpTracker(tracker, {
    intervalS: intervalSeconds,
    clock,
    random,
    faults: parts.faults,
  });
  const socket = await bindUdp(udp, config, parts);
  tracker.start();
  return {
    udpPort: socket.local.port,
    namedUdp: namedUdp(config, parts.webPort, socket.local.port),
    register: (infohashes: Infohashes) => tracker.register(infohashes),
    unregister: (infohashes: Infohashes) => tracker.unregister(infohashes),
    setFetched: (infohash, isFetched) => tracker.setFetched(infohash, isFetched),
    setWhole: (infohashes: Infohashes, isWhole: boolean) => tracker.setWhole(infohashes, isWhole),
    count: (infohashes: Infohashes): SwarmCount => tracker.figures(infohashes),
    handle: (request, context) => answerHttp(http, request, context, parts.faults),
    async close() {
      socket.close();
      await tracker.stop();
      await snapshot.save();
    },
  };
}

/** What is published and what is on its way, as it is now: from here on the rooms tell what changes. */
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

function answerHttp(
  http: HttpTracker,
  request: Request,
  context: RequestContext,
  faults: OutsideFaults,
): Response | undefined {
  // Cut out by hand: `URL` would not keep every byte as it came.
  const target = request.url.replace(/^[a-z]+:\/\/[^/?#]*/i, "");
  if (!parseTrackerPath(target.replace(/\?.*$/s, ""))) return undefined;
  const address = addressBytes(context.remoteAddress);
  if (!address) return bencoded(200, encodeFailure(ADDRESS_UNKNOWN));
  const local = context.localAddress === undefined ? undefined : addressBytes(context.localAddress);
  const viaProxy = PROXY_HEADERS.some((name) => request.headers.has(name));
  const { status, body, refusal } = http.answer(target, { address, local, viaProxy });
  if (refusal !== undefined) {
    faults.count("bad-announce", { address: context.remoteAddress, why: refusal });
  }
  return bencoded(status, body);
}

function bencoded(status: number, body: Uint8Array): Response {
  return new Response(new Uint8Array(body), {
    status,
    headers: {
      "content-type": "text/plain",
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
    },
  });
}

/** Bound to a free port because the one it should have was taken, it will be elsewhere the next time. */
function namedUdp({ tracker, host }: Config, webPort: number, port: number): UdpPlace | undefined {
  const isFallback = tracker.udpPort === undefined && port !== webPort;
  return tracker.nameUdp && !isFallback ? { host, port } : undefined;
}

async function bindUdp(
  udp: UdpTracker,
  config: Config,
  parts: HubTrackerParts,
): Promise<DatagramSocket> {
  const { host } = config;
  const net = new UdpNet({ log: parts.log });
  const { udpPort } = config.tracker;
  const ports = udpPort === undefined ? [parts.webPort, 0] : [udpPort];
  let trouble: CommandError | undefined;
  for (const port of ports) {
    try {
      const socket = await net.bind({
        host,
        port,
        receive: (bytes, from) => {
          const reply = udp.answer(bytes, from);
          if (reply) socket.send(reply, from);
        },
      });
      return socket;
    } catch (error) {
      trouble = listenTrouble(error, { host, port, setting: "the key tracker.udpPort" });
      if (trouble.code !== "port-taken" || ports.at(-1) === port) break;
      parts.log.warn(
        `UDP port ${port} is taken by another program: the tracker listens for UDP on a free one, and torrents do not ` +
          "name it. The key tracker.udpPort chooses another",
      );
    }
  }
  invariant(trouble, "there is a port to try");
  throw trouble;
}

/** Who was in the swarms when the hub stopped, kept for its next start. */
class SnapshotFile {
  readonly #path: string;
  readonly #parts: HubTrackerParts;
  readonly #swarms: CompactSwarms;
  readonly #tracker: Tracker;

  constructor(path: string, parts: HubTrackerParts, swarms: CompactSwarms, tracker: Tracker) {
    this.#path = path;
    this.#parts = parts;
    this.#swarms = swarms;
    this.#tracker = tracker;
  }

  async load(): Promise<void> {
    const { files, clock, log } = this.#parts;
    const bytes = await files.read(this.#path);
    if (!bytes) return;
    const restored = restoreSnapshot(bytes, this.#swarms, {
      wallMs: clock.wallMs(),
      admit: (infohash) => this.#tracker.admitRestored(infohash),
    });
    // Peers announce again within minutes: nothing of worth is lost.
    if (restored === undefined) log.warn("the saved swarms cannot be read", { path: this.#path });
    else log.debug("peers of the last run are back", { peers: restored });
  }

  async save(): Promise<void> {
    const { files, clock } = this.#parts;
    await files.write(this.#path, encodeSnapshot(this.#swarms, clock.wallMs()));
  }
}

function seedPlace(config: Config, { peerPort, clock }: HubTrackerParts): SeedPlace {
  const { host, publicAddress } = config.engine;
  const name = publicAddress ?? (config.publicUrl && new URL(config.publicUrl).hostname);
  return {
    host: host ?? config.host,
    port: peerPort,
    outside: name === undefined ? () => [] : nameLookup(name, clock, systemLookup),
  };
}

function ownAddresses(): string[] {
  return ownInterfaces().map(({ address }) => address.replace(/%.*$/, ""));
}

async function systemLookup(host: string): Promise<string[]> {
  const found = await lookup(host, { all: true });
  return found.map(({ address }) => address);
}
