import type { Dht } from "../dht/dht.ts";
import type { PeerSource, WebSeedSource } from "../engine/session-contract.ts";
import type { Endpoint } from "../base/endpoint.ts";
import type { ExtensionKind } from "../engine/extension.ts";
import { Session } from "../engine/session.ts";
import { NetGuard } from "../guard/net-guard.ts";
import type { TorrentInfo } from "../metainfo/metainfo.ts";
import type { EncryptionMode } from "../base/encryption-mode.ts";
import type { TransportMode } from "../base/transport-mode.ts";
import { streamEncryption } from "../mse/stream-encryption.ts";
import { swarmExtensions } from "../pex/swarm-extensions.ts";
import type { RouterService } from "../nat/router-service.ts";
import { TrackerClient, type TrackerSource } from "../tracker-client/tracker-client.ts";
import type { PortPlace } from "../udp/shared-port.ts";
import type { DiskWork, SessionPorts } from "./command-ports.ts";
import { PeerNet } from "./peer-net.ts";
import { type WebSeeded, webSeedSources } from "./web-seed-sources.ts";
import { SessionLsd, type TorrentForNeighbours, wantsNeighbours } from "./one-shot-lsd.ts";
import { openRouter, type RouterChoice } from "./one-shot-router.ts";
import { type DhtChoice, openDht, SessionDht, type TorrentInDht } from "./one-shot-dht.ts";

/**
 * Memory for arriving pieces and for blocks to be sent; claimed as needed. A piece may be longer
 * than all of it: the engine writes such pieces to disk block by block.
 */
const RECEIVE_BYTES_MAX = 96 * 1024 * 1024;
const SEND_BYTES_MAX = 48 * 1024 * 1024;

/** The customary ports of BitTorrent; by default the first free one is used. */
const PORTS_BY_CUSTOM = [6881, 6882, 6883, 6884, 6885, 6886, 6887, 6888, 6889, 0];

export interface OneShotSessionOptions {
  /** The torrents, where all are known. */
  readonly torrents?: readonly TorrentInfo[] | undefined;
  /** Used as it is; `undefined` takes a free port. */
  readonly listen: { readonly host: string; readonly port: number } | undefined;
  /** A function is asked for each connection. */
  readonly encryption: EncryptionMode | (() => EncryptionMode);
  readonly transport: TransportMode;
  readonly downBytesPerSecond?: number | undefined;
  readonly upBytesPerSecond?: number | undefined;
  /** `undefined`: no DHT. */
  readonly dht?: DhtChoice | undefined;
  /** Whether peers tell each other of others (BEP 11). */
  readonly pex: boolean;
  /** Whether neighbours are looked for (BEP 14); by default where others can connect to. */
  readonly lsd: boolean | undefined;
  /** Has the router pass the port on, unless only this machine reaches it. */
  readonly router?: RouterChoice | undefined;
}

/** An engine with real ports, for one command. */
export interface OneShotSession {
  readonly session: Session;
  readonly port: number;
  /** Judges the addresses to connect to. */
  readonly guard: NetGuard;
  /**
   * The trackers of one torrent as a source of peers; empty when it names none with a supported
   * protocol.
   *
   * @param named - More announce URLs, which the user names: they may be anywhere.
   */
  trackers(
    tiers: readonly (readonly string[])[],
    named: readonly string[],
  ): readonly TrackerSource[];
  /** Extensions of the peer protocol for each torrent. The engine gives a private one those that it may have. */
  readonly extensions: readonly ExtensionKind[];
  /** The DHT as a source of peers of one torrent; empty when it is off, or the torrent is private. */
  dht(torrent: TorrentInDht): Promise<readonly PeerSource[]>;
  /** The neighbours as a source of peers of one torrent; empty when they are not looked for, or the torrent is private. */
  neighbours(torrent: TorrentForNeighbours): Promise<readonly PeerSource[]>;
  /**
   * The web seeds of one torrent.
   *
   * @param named - More URLs of its files, which the user names: they may be anywhere.
   */
  webSeeds(source: WebSeeded, named: readonly string[]): readonly WebSeedSource[];
  /** Whether a node of the DHT has answered; `undefined` while no torrent uses it. */
  dhtAnswers(): boolean | undefined;
  /** Our DHT node; `undefined` when it is off. */
  dhtNode(): Promise<Dht | undefined>;
  /** Says goodbye to trackers, makes everything durable and ends the threads. */
  close(): Promise<void>;
}

/**
 * @throws {CommandError} `port-taken`, `not-allowed`, or `not-found` for an address that is not
 * this machine's.
 */
export async function openSession(
  ports: SessionPorts,
  options: OneShotSessionOptions,
): Promise<OneShotSession> {
  const { clock, random, keyExchange, log, faults } = ports;
  const disk = ports.openDisk(options.torrents && workOf(options.torrents));
  const net = new PeerNet({
    ...ports,
    mode: options.transport,
    openTcp: ports.openTcp,
    guard: ports.guardTransports,
    allowRemote: (peer) => guard.admitPeer(peer),
  });
  const { udp } = net;
  const guard = new NetGuard({ ...ports, datagrams: udp.part("tracker") });
  const hasUtp = net.transports.some(({ kind }) => kind === "utp");
  const hasDatagrams = ports.behindProxy?.carriesDatagrams ?? true;
  const choice = hasDatagrams ? options.dht : undefined;
  const dht =
    choice &&
    new SessionDht({
      ports,
      open: () => openDht(ports, choice, { udp, readOnly: false }),
      shared: choice.service,
      guard,
      hasUtp,
    });
  const opensRouters = options.pex && hasUtp && !ports.behindProxy;
  const session = new Session({
    opensRouters,
    ports: {
      clock,
      random,
      transports: net.transports,
      content: disk,
      receiveSlabs: disk.createSlabPool(RECEIVE_BYTES_MAX),
      sendSlabs: disk.createSlabPool(SEND_BYTES_MAX),
      webRanges: guard.webSeeds,
      log,
      faults,
    },
    settings: {
      downBytesPerSecond: options.downBytesPerSecond ?? 0,
      upBytesPerSecond: options.upBytesPerSecond ?? 0,
    },
    // Nobody reaches it behind a proxy.
    dht: ports.behindProxy ? undefined : dht?.ofPeers,
    decorators: streamEncryption({ mode: options.encryption, clock, random, keyExchange }),
  });
  const judgePeers = (peers: readonly Endpoint[], from: string): readonly Endpoint[] =>
    guard.judgePeers(peers, from);
  const { encryption } = options;
  const trackerClient = new TrackerClient({
    clock,
    random,
    http: guard.http,
    datagrams: guard.datagrams,
    log,
    judgePeers,
    refusalOf: guard.refusalOf,
    encryption: typeof encryption === "string" ? () => encryption : encryption,
  });
  const host = options.listen?.host;
  const lsd =
    !ports.behindProxy && wantsNeighbours(options.lsd, host)
      ? new SessionLsd(ports, { host, port: () => session.port, guard })
      : undefined;
  let router: RouterService | undefined;
  const close = async (): Promise<void> => {
    await Promise.all([router?.close(), session.close()]);
    trackerClient.close();
    await lsd?.close();
    await dht?.close();
    await net.close();
    await disk.close();
  };
  try {
    const port = await listen({ net, session }, options.listen);
    const place = { host: options.listen?.host ?? "::", port };
    router = openRouter(ports, options.router, { place, session, udp: net.udp });
    return {
      session,
      port,
      close,
      guard,
      extensions: options.pex ? swarmExtensions({ judgePeers, opensRouters }) : [],
      trackers: (tiers, named) => {
        for (const url of named) guard.trustTracker(url);
        const known = new Set(tiers.flat());
        const added = named.filter((url) => !known.has(url)).map((url) => [url]);
        const source = trackerClient.source([...tiers, ...added]);
        return source ? [source] : [];
      },
      dhtNode: async () => dht?.node(),
      dhtAnswers: () => dht?.isReached,
      dht: async (torrent) => (await dht?.sources(torrent)) ?? [],
      neighbours: async (torrent) => (await lsd?.sources(torrent)) ?? [],
      webSeeds: (source, named) => webSeedSources(guard.webSeeds, source, named),
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function listen(
  { net, session }: { readonly net: PeerNet; readonly session: Session },
  wanted: PortPlace | undefined,
): Promise<number> {
  const listenOn = (host: string, ports: readonly number[]): Promise<number> =>
    net.listen(
      { host, ports, setting: "--listen HOST:PORT" },
      (place) => session.listen(place),
      wanted !== undefined && wanted.port !== 0,
    );
  if (wanted) return listenOn(wanted.host, [wanted.port]);
  try {
    // "::" accepts IPv4 too, where the machine has IPv6.
    return await listenOn("::", PORTS_BY_CUSTOM);
  } catch {
    return listenOn("0.0.0.0", PORTS_BY_CUSTOM);
  }
}

function workOf(torrents: readonly TorrentInfo[]): DiskWork {
  const sum = (amount: (info: TorrentInfo) => number): number =>
    torrents.reduce((total, info) => total + amount(info), 0);
  return {
    bytes: sum(({ geometry }) => geometry.dataLength),
    files: sum(({ files }) => files.length),
    isExchanged: true,
  };
}
