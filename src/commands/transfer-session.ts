import { type Endpoint, parseEndpoint } from "../base/endpoint.ts";
import { tcpAddresses } from "../base/peer-address.ts";
import type { ExtensionKind } from "../engine/extension.ts";
import type {
  AddTorrent,
  EngineTorrent,
  PeerSource,
  SessionLimits,
} from "../engine/session-contract.ts";
import type { Session } from "../engine/session.ts";
import type { NetGuard } from "../guard/net-guard.ts";
import type { Clock } from "../ports/clock.ts";
import type { TrackerClient, TrackerSource } from "../tracker-client/tracker-client.ts";
import type {
  SleepingSeed,
  TransferEngine,
  TransferTracker,
  TransferWays,
} from "../transfers/transfer-engine.ts";
import { webSeedSources } from "./web-seed-sources.ts";

/** Trackers shown of one torrent. */
const TRACKERS_MAX = 100;
/** A tracker that has not answered a sleeping seed by then is left to its next turn. */
const ANNOUNCE_MS = 60_000;

export interface TransferSessionParts {
  readonly session: Pick<
    Session,
    "add" | "remove" | "setLimits" | "setGroupLimits" | "peerId" | "port" | "outerPort"
  >;
  /** Judges the addresses that torrents name. */
  readonly guard: Pick<NetGuard, "trust" | "trustTracker" | "allowPeer" | "webSeeds">;
  readonly trackers: Pick<TrackerClient, "source" | "announceOnce">;
  /**
   * The DHT and the neighbours, as far as they are on.
   *
   * @param nodes - DHT nodes that the torrent names.
   * @param isSeed - It is announced in the DHT by turns, awake or not.
   */
  readonly sources: (
    torrent: AddTorrent["from"],
    nodes: readonly string[],
    isSeed: boolean,
  ) => Promise<readonly PeerSource[]>;
  readonly extensions: readonly ExtensionKind[];
  readonly clock: Clock;
  readonly setLimits: TransferEngine["setLimits"];
}

/**
 * The engine of a node's transfers: a session that everything in the node shares. The guard judges where torrents lead
 * (house rule 8); what the owner names may be anywhere.
 */
export class TransferSession implements TransferEngine {
  readonly #parts: TransferSessionParts;
  readonly #trackers = new WeakMap<EngineTorrent, TrackerSource>();

  constructor(parts: TransferSessionParts) {
    this.#parts = parts;
  }

  async add(options: AddTorrent, ways: TransferWays): Promise<EngineTorrent> {
    const { session, guard, trackers, sources, extensions } = this.#parts;
    const own = endpointsIn(ways.ownPeers);
    for (const peer of own) guard.trust(peer);
    const peers = [...own, ...endpointsIn(ways.peers).filter((peer) => guard.allowPeer(peer))];
    const tracker = trackers.source(this.#tiers(ways));
    const others = await sources(options.from, ways.nodes, options.mode === "seed");
    const torrent = session.add({
      ...options,
      sources: [...(tracker ? [tracker] : []), ...others],
      webSeeds: webSeedSources(guard.webSeeds, { metainfo: ways }, []),
      extensions,
      peers: tcpAddresses(peers),
    });
    if (tracker) this.#trackers.set(torrent, tracker);
    return torrent;
  }

  async remove(torrent: EngineTorrent): Promise<void> {
    await this.#parts.session.remove(torrent);
  }

  addPeers(torrent: EngineTorrent, addresses: readonly string[]): void {
    const peers = endpointsIn(addresses);
    for (const peer of peers) this.#parts.guard.trust(peer);
    torrent.addPeers(tcpAddresses(peers));
  }

  trackers(torrent: EngineTorrent): readonly TransferTracker[] {
    return this.#trackers.get(torrent)?.status().slice(0, TRACKERS_MAX) ?? [];
  }

  announce(torrent: EngineTorrent): void {
    this.#trackers.get(torrent)?.announceNow();
  }

  async announceAsleep(seed: SleepingSeed): Promise<void> {
    const { session, trackers, clock } = this.#parts;
    const giveUp = new AbortController();
    const timer = clock.startTimer(ANNOUNCE_MS, () => giveUp.abort());
    const stats = { uploaded: seed.uploaded, downloaded: 0, left: 0 };
    const swarm = {
      infohashes: seed.infohashes,
      private: () => seed.private,
      peerId: session.peerId,
      port: () => session.port,
      outerPort: () => session.outerPort,
      stats: () => stats,
      wantsPeers: () => false,
      offerPeers: () => undefined,
    };
    try {
      const how = { isListed: seed.isListed, signal: giveUp.signal };
      await trackers.announceOnce(this.#tiers(seed), swarm, how);
    } finally {
      timer.cancel();
    }
  }

  setLimits(limits: Partial<SessionLimits>): void {
    this.#parts.setLimits(limits);
  }

  readonly setGroupLimits: TransferEngine["setGroupLimits"] = (name, limits) =>
    this.#parts.session.setGroupLimits(name, limits);

  /** Those of the torrent, and a tier for each that the owner named. */
  #tiers(ways: Pick<TransferWays, "trackers" | "ownTrackers">): (readonly string[])[] {
    for (const url of ways.ownTrackers) this.#parts.guard.trustTracker(url);
    const known = new Set(ways.trackers.flat());
    const added = ways.ownTrackers.filter((url) => !known.has(url)).map((url) => [url]);
    return [...ways.trackers, ...added];
  }
}

function endpointsIn(texts: readonly string[]): Endpoint[] {
  return texts.flatMap((text) => parseEndpoint(text) ?? []);
}
