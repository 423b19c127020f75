import { parseEndpoint } from "../base/endpoint.ts";
import { tcpAddresses } from "../base/peer-address.ts";
import type { DhtService } from "../dht/dht-service.ts";
import type { EngineTorrent } from "../engine/session-contract.ts";
import type { EncryptionMode } from "../base/encryption-mode.ts";
import type { TransportMode } from "../base/transport-mode.ts";
import type { FetchEngine } from "../publish/fetch-run.ts";
import type { TrackerNotice } from "../publish/fetch-state.ts";
import type { TrackerSource } from "../tracker-client/tracker-client.ts";
import type { SessionPorts } from "./command-ports.ts";
import { type OneShotSession, openSession } from "./open-session.ts";
import { trackerNotices } from "./tracker-news.ts";

/** Trackers of one torrent whose messages are reported; a .torrent file may name thousands. */
const NOTICES_MAX = 20;

export interface HubFetchingOptions {
  /** The address where peers may connect; the port is a free one. */
  readonly host: string;
  /** Asked when a session opens, and `encryption` for each connection. */
  readonly limits: () => { readonly downBytesPerSecond: number; readonly upBytesPerSecond: number };
  readonly encryption: () => EncryptionMode;
  readonly transport: TransportMode;
  /** Whether peers tell each other of others. */
  readonly pex: boolean;
  /** Whether neighbours are looked for; by default where others can connect to. */
  readonly lsd: boolean | undefined;
  /** The node of the hub, which is asked for peers; `undefined` while the DHT is off. */
  readonly dht: () => DhtService | undefined;
  readonly ports: SessionPorts;
}

/**
 * The engine that fetches torrents for a hub. It is separate from the everseed's: the everseed
 * accepts connections and never opens any, while this engine connects wherever strangers' torrents
 * lead, and so stays behind the guard (house rule 8). The first torrent opens it, and it closes
 * after the last.
 */
export class HubFetching implements FetchEngine {
  readonly #options: HubFetchingOptions;
  readonly #trackers = new WeakMap<EngineTorrent, readonly TrackerSource[]>();
  #session: Promise<OneShotSession> | undefined;
  #torrents = 0;
  #closing: Promise<void> = Promise.resolve();

  constructor(options: HubFetchingOptions) {
    this.#options = options;
  }

  async add(...[options, trackers]: Parameters<FetchEngine["add"]>): Promise<EngineTorrent> {
    this.#torrents += 1;
    try {
      const opened = await this.#open();
      const { session, guard } = opened;
      const named = "magnet" in options.from ? options.from.magnet.peers : [];
      const peers = named.flatMap((text) => parseEndpoint(text) ?? []);
      const neighbours = await opened.neighbours(options.from);
      const sources = opened.trackers(trackers, []);
      const { from } = options;
      const dht = await opened.dht({
        info: "metainfo" in from ? from.metainfo.info : undefined,
        nodes: "metainfo" in from ? from.metainfo.nodes : [],
        // Those in our own network are no news to whoever looks at the fetch.
        onRefused: () => undefined,
      });
      const torrent = session.add({
        ...options,
        sources: [...sources, ...dht, ...neighbours],
        webSeeds: opened.webSeeds(options.from, []),
        extensions: opened.extensions,
        peers: tcpAddresses(peers.filter((peer) => guard.allowPeer(peer))),
      });
      this.#trackers.set(torrent, sources);
      return torrent;
    } catch (error) {
      await this.#leave();
      throw error;
    }
  }

  asksDht(): boolean {
    return this.#options.dht() !== undefined;
  }

  trackerNotices(torrent: EngineTorrent): readonly TrackerNotice[] {
    return trackerNotices(this.#trackers.get(torrent) ?? []).slice(0, NOTICES_MAX);
  }

  async remove(torrent: EngineTorrent): Promise<void> {
    const session = await this.#session;
    await session?.session.remove(torrent);
    await this.#leave();
  }

  /** The limits have changed: a session that is open follows. */
  handleLimits(): void {
    const follow = ({ session }: OneShotSession): void => session.setLimits(this.#options.limits());
    // One that cannot open has no limits; whoever added the torrent is told.
    void this.#session?.then(follow, () => undefined);
  }

  /** Stops all fetches under way. */
  async close(): Promise<void> {
    const session = this.#session;
    this.#session = undefined;
    await (await session)?.close();
    await this.#closing;
  }

  async #open(): Promise<OneShotSession> {
    await this.#closing;
    const { host, encryption, transport, pex, lsd, limits, ports } = this.#options;
    const listen = { host, port: 0 };
    const service = this.#options.dht();
    const dht = service && { bootstrap: [], service };
    const how = { listen, encryption, transport, pex, lsd, dht };
    this.#session ??= openSession(ports, { ...how, ...limits() });
    return this.#session;
  }

  async #leave(): Promise<void> {
    this.#torrents -= 1;
    const session = this.#session;
    if (this.#torrents > 0 || !session) return;
    this.#session = undefined;
    this.#closing = session.then(
      (open) => open.close(),
      () => undefined,
    );
    await this.#closing;
  }
}
