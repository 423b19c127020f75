import { formatPeerAddress, type TransportKind } from "../base/peer-address.ts";
import type { AddTorrent, EngineSettings, PeerDht } from "../engine/session-contract.ts";
import type { StreamDecorators } from "../engine/stream-decorator.ts";
import { seededRandom } from "./seeded-random.ts";
import type { TorrentKind } from "../metainfo/metainfo.ts";
import type { PeerTransport } from "../ports/net.ts";
import type { Random } from "../ports/random.ts";
import type { WebRanges } from "../ports/web-ranges.ts";
import { type SimHost, SimNet, type SimLink } from "./sim-net.ts";
import { SimNode, type SimRun } from "./sim-node.ts";
import { makeSimTorrent, type SimTorrent } from "./sim-torrent.ts";
import { SimTrace } from "./sim-trace.ts";
import { Simulation } from "./simulation.ts";

const MIB = 1024 * 1024;
/** The line of a home. */
const DEFAULT_LINK: SimLink = {
  upBytesPerSecond: MIB,
  downBytesPerSecond: 8 * MIB,
  latencyMs: 15,
};
/** Every machine has examined its empty disk by then. */
const OPENING_MS = 100;

export interface SimSwarmOptions {
  /** The seed of all random numbers. */
  readonly seed: number;
  /** Bytes of the torrent's one file. */
  readonly size: number;
  readonly pieceLength?: number | undefined;
  readonly kind?: TorrentKind | undefined;
  readonly private?: boolean | undefined;
}

export interface JoinOptions {
  readonly link?: Partial<SimLink> | undefined;
  readonly settings?: Partial<EngineSettings> | undefined;
  readonly diskBytesPerSecond?: number | undefined;
  readonly receiveBytes?: number | undefined;
  readonly sendBytes?: number | undefined;
  readonly keepsBytes?: boolean | undefined;
  readonly decorators?: StreamDecorators | undefined;
  readonly dht?: PeerDht | undefined;
  /** Web servers that it can reach. */
  readonly webRanges?: ((client: SimHost) => WebRanges) | undefined;
  /** Its transports, TCP alone when left out. The first is the one that others are told of. */
  readonly transports?: readonly [TransportKind, ...TransportKind[]] | undefined;
  /** Makes what carries uTP in place of the simulated streams. */
  readonly utp?: (() => PeerTransport<"utp">) | undefined;
  readonly opensRouters?: boolean | undefined;
  /** Another than the next one. */
  readonly address?: string | undefined;
}

/** A machine with the swarm's torrent. */
export interface SimPeer {
  readonly node: SimNode;
  readonly run: SimRun;
}

/**
 * Real engines in one thread and in simulated time, all with one torrent, introduced to each other.
 */
export class SimSwarm {
  readonly simulation = new Simulation();
  readonly net: SimNet;
  readonly trace: SimTrace;
  readonly random: Random;
  readonly made: SimTorrent;
  #joined = 0;

  constructor(options: SimSwarmOptions) {
    this.random = seededRandom(options.seed);
    this.trace = new SimTrace(this.simulation);
    this.net = new SimNet({
      simulation: this.simulation,
      onDelivery: (from, to, bytes) =>
        this.trace.note(`${formatPeerAddress(from)}>${formatPeerAddress(to)}`, bytes),
    });
    this.made = makeSimTorrent({
      random: this.random,
      name: "content",
      size: options.size,
      pieceLength: options.pieceLength ?? 64 * 1024,
      kind: options.kind ?? "v1",
      private: options.private,
    });
  }

  /** Adds a machine with a new address. Await it while the simulation stands still. */
  async join(options: JoinOptions = {}): Promise<SimNode> {
    this.#joined += 1;
    const address = options.address ?? `10.${this.#joined >>> 8}.${this.#joined & 0xff}.1`;
    const host = this.net.createHost(address, { ...DEFAULT_LINK, ...options.link });
    const node = new SimNode({
      simulation: this.simulation,
      random: seededRandom(this.random.below(2 ** 32)),
      host,
      settings: options.settings,
      diskBytesPerSecond: options.diskBytesPerSecond,
      receiveBytes: options.receiveBytes,
      sendBytes: options.sendBytes,
      keepsBytes: options.keepsBytes,
      decorators: options.decorators,
      dht: options.dht,
      webRanges: options.webRanges?.(host),
      transports: options.transports,
      utp: options.utp?.(),
      opensRouters: options.opensRouters,
      onEvent: (event) => this.trace.note(`${address} ${event.kind}`),
    });
    await node.listen();
    return node;
  }

  async joinSeed(options: JoinOptions = {}): Promise<SimPeer> {
    const node = await this.join(options);
    return { node, run: node.seed(this.made) };
  }

  async joinLeecher(options: JoinOptions = {}, add: Partial<AddTorrent> = {}): Promise<SimPeer> {
    const node = await this.join(options);
    return { node, run: node.leech(this.made, add) };
  }

  async joinLeechers(count: number, options: JoinOptions = {}): Promise<SimPeer[]> {
    const peers: SimPeer[] = [];
    for (let i = 0; i < count; i += 1) peers.push(await this.joinLeecher(options));
    return peers;
  }

  /**
   * Lets all disks be examined, then introduces each machine to the earlier ones, as a tracker does
   * in turn.
   */
  introduce(peers: readonly SimPeer[]): void {
    this.simulation.runFor(OPENING_MS);
    for (const [index, { run }] of peers.entries()) {
      run.torrent.addPeers(peers.slice(0, index).map(({ node }) => node.address));
    }
  }

  /** @returns Milliseconds until all were complete; `undefined` when the limit came first. */
  runUntilComplete(peers: readonly SimPeer[], limitMs: number): number | undefined {
    const beginMs = this.simulation.nowMs();
    const done = this.simulation.runUntil(() => peers.every(isComplete), limitMs);
    return done ? this.simulation.nowMs() - beginMs : undefined;
  }
}

export function isComplete({ run }: SimPeer): boolean {
  return run.torrent.state.kind === "seeding";
}

/** When the machine was complete, in simulated milliseconds; `undefined` when it never was. */
export function completedAtMs({ run }: SimPeer): number | undefined {
  return run.events.find(({ event }) => event.kind === "complete")?.atMs;
}
