import type {
  EngineTorrent,
  PeerSource,
  PeerSourceHandle,
  SwarmView,
} from "../session-contract.ts";
import type { Swarm } from "../swarm/swarm.ts";
import type { TorrentHost } from "./torrent-host.ts";
import type { TorrentPeer } from "./torrent-peer.ts";

export interface TorrentSourcesOptions {
  readonly host: TorrentHost;
  readonly torrent: EngineTorrent;
  readonly swarm: Swarm<TorrentPeer>;
  readonly sources: readonly PeerSource[];
}

/** Who knows peers of one torrent: asked as soon as it wants any, and told what becomes of it. */
export class TorrentSources {
  readonly #options: TorrentSourcesOptions;
  #handles: PeerSourceHandle[] = [];
  #toldComplete = false;

  constructor(options: TorrentSourcesOptions) {
    this.#options = options;
  }

  /** The torrent wants peers although its info is not known yet (magnet). */
  attach(): void {
    const view = this.#view();
    this.#handles = this.#options.sources.map((source) => source.attach(view));
  }

  /** Its files are open. @param isComplete - There is nothing to download. */
  handleOpened(isComplete: boolean): void {
    this.#toldComplete = isComplete;
    if (this.#handles.length === 0) this.attach();
    else for (const handle of this.#handles) handle.handleMetadata();
  }

  /** Told once, of a download that ended, and not when there was nothing to download (BEP 3). */
  handleComplete(): void {
    if (!this.#toldComplete) for (const handle of this.#handles) handle.handleComplete();
    this.#toldComplete = true;
  }

  /** The torrent stops. Resolves when each has said goodbye. */
  async detach(): Promise<void> {
    const goodbyes = this.#handles.map((handle) => handle.detach());
    this.#handles = [];
    await Promise.all(goodbyes);
  }

  #view(): SwarmView {
    const { host, torrent, swarm } = this.#options;
    return {
      infohashes: torrent.infohashes,
      private: () => torrent.info?.private ?? false,
      peerId: host.peerId,
      port: () => host.port,
      stats: () => torrent.stats(),
      // Seeds too: who came before them waits for somebody to call.
      wantsPeers: () => !swarm.isFull && torrent.state.kind !== "broken",
      offerPeers: (peers) =>
        host.bursts.run(() => {
          swarm.offer(peers, "tracker", host.ports.clock.nowMs());
          host.handleCandidates();
        }),
    };
  }
}
