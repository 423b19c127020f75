import type {
  EngineTorrent,
  PeerSource,
  PeerSourceHandle,
  SourceKind,
  SwarmView,
} from "../session-contract.ts";
import type { Swarm } from "../swarm/swarm.ts";
import type { TorrentHost } from "./torrent-host.ts";
import type { TorrentPeer } from "./torrent-peer.ts";

/** Where a private torrent may get peers: trackers, addresses that users give, and incoming peers (BEP 27). */
const PRIVATE_KINDS: ReadonlySet<SourceKind> = new Set(["tracker", "manual", "incoming"]);

export interface TorrentSourcesOptions {
  readonly host: Pick<
    TorrentHost,
    "peerId" | "port" | "outerPort" | "bursts" | "outer" | "ports" | "handleCandidates"
  >;
  readonly torrent: Pick<EngineTorrent, "infohashes" | "info" | "state" | "stats">;
  readonly swarm: Pick<Swarm<TorrentPeer>, "isFull" | "offer" | "keepOnly">;
  readonly sources: readonly PeerSource[];
}

interface Attached {
  readonly kind: SourceKind;
  readonly handle: PeerSourceHandle;
}

/**
 * The sources of peers of one torrent: they are attached as soon as it wants peers, and told its progress. This class,
 * and not each source, ensures that a private torrent has only trackers.
 */
export class TorrentSources {
  readonly #options: TorrentSourcesOptions;
  /** `undefined` until the torrent wants peers. */
  #attached: readonly Attached[] | undefined;
  readonly #goodbyes: Promise<void>[] = [];
  #toldComplete = false;

  constructor(options: TorrentSourcesOptions) {
    this.#options = options;
  }

  /** The torrent wants peers before its info is known (magnet). */
  attach(): void {
    this.#attached = this.#options.sources
      .filter(({ kind }) => this.#mayHave(kind))
      .map((source) => ({ kind: source.kind, handle: source.attach(this.#view(source.kind)) }));
  }

  /**
   * The info dictionary of a magnet link arrived. If the torrent is private, every source but trackers ends at once,
   * and the peers it found are forgotten.
   */
  handleInfo(): void {
    if (!this.#isPrivate) return;
    for (const { kind, handle } of this.#attached ?? []) {
      if (!this.#mayHave(kind)) this.#goodbyes.push(handle.detach());
    }
    this.#attached = this.#attached?.filter(({ kind }) => this.#mayHave(kind));
    this.#options.swarm.keepOnly(PRIVATE_KINDS, "the torrent is private");
  }

  /** The files are open. @param isComplete - There is nothing to download. */
  handleOpened(isComplete: boolean): void {
    this.#toldComplete = isComplete;
    if (!this.#attached) this.attach();
    else for (const { handle } of this.#attached) handle.handleMetadata();
  }

  /** Called once, when a download completes, and not when there was nothing to download (BEP 3). */
  handleComplete(): void {
    if (!this.#toldComplete) for (const { handle } of this.#attached ?? []) handle.handleComplete();
    this.#toldComplete = true;
  }

  /** The torrent stops. Resolves when each source has said goodbye. */
  async detach(): Promise<void> {
    const goodbyes = (this.#attached ?? []).map(({ handle }) => handle.detach());
    this.#attached = [];
    await Promise.all([...this.#goodbyes, ...goodbyes]);
  }

  get #isPrivate(): boolean {
    return this.#options.torrent.info?.private === true;
  }

  #mayHave(kind: SourceKind): boolean {
    return !this.#isPrivate || PRIVATE_KINDS.has(kind);
  }

  #view(kind: SourceKind): SwarmView {
    const { host, torrent, swarm } = this.#options;
    return {
      infohashes: torrent.infohashes,
      private: () => this.#isPrivate,
      peerId: host.peerId,
      port: () => host.port,
      outerPort: () => host.outerPort,
      stats: () => torrent.stats(),
      // Seeds dial as well: a peer that started before them may be waiting for a call.
      wantsPeers: () => !swarm.isFull && torrent.state.kind !== "broken",
      handleOuterAddress: (seen, by) => {
        if (by === undefined) host.outer.believe(seen);
        else host.outer.vote(by, seen);
      },
      offerPeers: (peers) => {
        if (!this.#mayHave(kind)) return;
        host.bursts.run(() => {
          swarm.offer(peers, kind, host.ports.clock.nowMs());
          host.handleCandidates();
        });
      },
    };
  }
}
