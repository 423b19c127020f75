import type { EncryptionMode } from "../base/encryption-mode.ts";
import type { PeerSource, PeerSourceHandle, SwarmView } from "../engine/session-contract.ts";
import type { Clock } from "../ports/clock.ts";
import type { Log } from "../ports/log.ts";
import type { DatagramNet, HttpFetch } from "../ports/net.ts";
import type { Random } from "../ports/random.ts";
import type { Announcer, JudgePeers } from "./announce-outcome.ts";
import { HttpAnnouncer } from "./http-announcer.ts";
import { TorrentAnnouncer } from "./torrent-announcer.ts";
import { RemoteTracker, type TrackerStatus } from "./remote-tracker.ts";
import { shuffleTiers } from "./tracker-tiers.ts";
import { UdpAnnouncer } from "./udp-announcer.ts";

export interface TrackerClientPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly http: HttpFetch;
  readonly datagrams: DatagramNet;
  readonly log: Log;
  /** What trackers are told of encrypted streams, asked for each announce; nothing by default. */
  readonly encryption?: (() => EncryptionMode) | undefined;
  /** House rule 8. By default all peers are accepted. */
  readonly judgePeers?: JudgePeers | undefined;
  /** Says why no tracker at an address is asked; `undefined` when it may be. By default all may be. */
  readonly refusalOf?: ((address: string) => string | undefined) | undefined;
}

/** The trackers of one torrent. */
export interface TrackerSource extends PeerSource {
  /** One entry for each tracker; empty before the torrent wants peers. */
  status(): readonly TrackerStatus[];
  /** Announces now, whatever the interval. */
  announceNow(): void;
}

/** Announces torrents to their trackers. One client for a session, so that sockets and limits are shared. */
export class TrackerClient {
  readonly #ports: TrackerClientPorts;
  readonly #http: HttpAnnouncer;
  readonly #udp: UdpAnnouncer;
  readonly #key: number;

  constructor(ports: TrackerClientPorts) {
    this.#ports = ports;
    this.#http = new HttpAnnouncer(ports.http);
    this.#udp = new UdpAnnouncer(ports);
    this.#key = ports.random.below(2 ** 32);
  }

  /**
   * @param tiers - Announce URLs as the torrent lists them. URLs of unsupported kinds are left out.
   * @returns `undefined` when no tracker is left.
   */
  source(tiers: readonly (readonly string[])[]): TrackerSource | undefined {
    const spoken = tiers
      .map((tier) => [...new Set(tier)].filter((url) => this.#announcerFor(url)))
      .filter((tier) => tier.length > 0);
    if (spoken.length === 0) return undefined;
    let announcer: TorrentAnnouncer | undefined;
    return {
      kind: "tracker",
      attach: (swarm): PeerSourceHandle => {
        announcer = this.#attach(spoken, swarm);
        return announcer;
      },
      status: () => announcer?.status() ?? [],
      announceNow: () => announcer?.announceNow(),
    };
  }

  /**
   * Announces a torrent once, to the first tracker of each tier that answers, and leaves it listed there: for a seed
   * that is not in the engine. A private torrent is announced to one tracker (BEP 27).
   *
   * @param isListed - The trackers know of it, so they are not told of a start.
   */
  async announceOnce(
    tiers: readonly (readonly string[])[],
    swarm: SwarmView,
    { isListed, signal }: { readonly isListed: boolean; readonly signal: AbortSignal },
  ): Promise<void> {
    const trackers = this.#trackers(tiers, swarm, isListed);
    const groups = swarm.private() ? [trackers.flat()] : trackers;
    await Promise.all(
      groups.map(async (group) => {
        for (const tracker of group) {
          const outcome = await tracker.announce(signal, false);
          if (outcome === undefined || outcome.kind === "reply") return;
        }
      }),
    );
  }

  /** Call it after the last torrent has said goodbye. */
  close(): void {
    this.#udp.close();
  }

  #attach(tiers: readonly (readonly string[])[], swarm: SwarmView): TorrentAnnouncer {
    const trackers = this.#trackers(tiers, swarm, false);
    return new TorrentAnnouncer({
      ...this.#ports,
      swarm,
      tiers: shuffleTiers(trackers, this.#ports.random),
    });
  }

  #trackers(
    tiers: readonly (readonly string[])[],
    swarm: SwarmView,
    isListed: boolean,
  ): RemoteTracker[][] {
    return tiers.map((tier, index) =>
      tier.flatMap((url) => {
        const announcer = this.#announcerFor(url);
        if (!announcer) return [];
        const {
          datagrams: names,
          encryption,
          refusalOf,
          judgePeers = (peers) => peers,
        } = this.#ports;
        const shared = { key: this.#key, names, encryption, refusalOf, judgePeers, isListed };
        return [new RemoteTracker({ url, tier: index, announcer, swarm, ...shared })];
      }),
    );
  }

  #announcerFor(url: string): Announcer | undefined {
    if (/^https?:/i.test(url)) return this.#http;
    return /^udp:/i.test(url) ? this.#udp : undefined;
  }
}
