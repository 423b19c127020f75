import { compareBytes, equalBytes } from "../../base/bytes.ts";
import { type Endpoint, formatEndpoint } from "../../base/endpoint.ts";
import { Candidates, type ConnectionEnd } from "./candidates.ts";
import { mostCrowded, networkName } from "../sharing/crowd.ts";
import { OutputQueue } from "../sharing/output-queue.ts";
import type { Connection } from "../connection/connection.ts";
import type { EngineSettings, EnginePorts, SourceKind, TorrentStats } from "../session-contract.ts";
import type { PeerWords, SwarmPeer } from "./swarm-peer.ts";

/** When nearly full, peers with whom neither side wants anything are let go after this. */
const USELESS_MS = 60_000;
const CROWDED = 0.9;
/** A peer is not judged by its rate before it has been connected for this long. */
const SETTLED_MS = 30_000;
/** Looks into bitfields for one answer of `partialCopies`: some milliseconds. */
const PIECE_LOOKS_MAX = 2_000_000;

const FAILED: ConnectionEnd = { kind: "failed" };

export interface SwarmOptions {
  readonly ports: EnginePorts;
  readonly settings: EngineSettings;
  readonly peerId: Uint8Array;
}

/** What the swarm tells the torrent. */
export interface SwarmOutput<P> {
  /** The peer is none of ours any more. */
  readonly kind: "left";
  readonly peer: P;
  readonly reason: string;
}

/** A peer of a torrent, as far as the swarm has to do with it. */
export interface SwarmMember {
  readonly connection: Connection;
  readonly swarm: SwarmPeer;
  /** Blocks are on their way to it or from it. */
  isMoving(now: number): boolean;
  /** Rate of blocks, both directions together. */
  bytesPerSecond(now: number): number;
}

/**
 * The peers of one torrent, connected and known: who may come in, who is dialled, who has to go, and
 * who has something gathered to be sent.
 */
export class Swarm<P extends SwarmMember> {
  readonly #options: SwarmOptions;
  readonly #candidates: Candidates;
  /** Connected or connecting. */
  readonly #peers = new Set<P>();
  /** Those with something gathered to be sent. */
  readonly #unsent = new Set<P>();
  readonly #outputs = new OutputQueue<SwarmOutput<P>>();

  constructor(options: SwarmOptions) {
    this.#options = options;
    this.#candidates = new Candidates({ random: options.ports.random });
  }

  /** Taken when a burst is over, until there is none. */
  nextOutput(): SwarmOutput<P> | undefined {
    return this.#outputs.next();
  }

  get size(): number {
    return this.#peers.size;
  }

  wantsToDial(now: number): boolean {
    return !this.isFull && this.#candidates.isAnyDue(now);
  }

  get openCount(): number {
    let count = 0;
    for (const { connection } of this.#peers) if (connection.isOpen) count += 1;
    return count;
  }

  get isFull(): boolean {
    return this.#peers.size >= this.#options.settings.connectionsPerTorrentMax;
  }

  /** Those whose handshake is over. */
  *open(): Generator<P> {
    for (const peer of this.#peers) if (peer.connection.isOpen) yield peer;
  }

  /** All, as a copy: closing one changes the set. */
  all(): P[] {
    return [...this.#peers];
  }

  offer(endpoints: readonly Endpoint[], source: SourceKind, now: number): void {
    for (const endpoint of endpoints) this.#candidates.offer(endpoint, source, now);
  }

  /** Forgets the addresses of all other kinds of sources, and closes the peers that were dialled there. */
  keepOnly(kinds: ReadonlySet<SourceKind>, reason: string): void {
    const dropped = new Set(this.#candidates.keepOnly(kinds).map(formatEndpoint));
    for (const { connection } of this.all()) {
      const { incoming, remote } = connection;
      if (!incoming && dropped.has(formatEndpoint(remote))) connection.close(reason);
    }
  }

  /** @returns Whether a peer that dialled us may come in; it has to join then. */
  mayEnter(address: string, hasRoom: boolean, now: number): boolean {
    if (this.#candidates.isBanned(address)) return false;
    return (hasRoom && !this.isFull) || this.evictFor(address, now);
  }

  /** @returns Whom to dial, or `undefined`. Whether it was dialled has to be told. */
  nextCandidate(now: number): Endpoint | undefined {
    return this.isFull ? undefined : this.#candidates.next(now);
  }

  /** A limit of the session forbids it now. */
  handleNotDialled(remote: Endpoint): void {
    this.#candidates.handleNotDialled(remote);
  }

  /** The peer is dialled, or has dialled us and may enter. */
  join(peer: P): void {
    this.#peers.add(peer);
  }

  /** The handshake is over. @returns Why the peer is refused, or `undefined`. */
  refusal(peer: P, now: number): string | undefined {
    const { connection } = peer;
    peer.swarm.connectedAtMs = now;
    const peerId = connection.peerId!;
    const ours = this.#options.peerId;
    if (equalBytes(peerId, ours)) {
      this.#candidates.ban(connection.remote.address, connection.remote.port);
      return "this is ourselves";
    }
    for (const { connection: other } of this.open()) {
      if (other === connection || !equalBytes(other.peerId!, peerId)) continue;
      // Both sides keep the connection that the smaller peer id opened, so that one of two stays.
      const keepOurs = compareBytes(ours, peerId) < 0;
      // From another address it may be a stranger with a stolen id: the peer that is here stays (WIR-20).
      const stranger = other.remote.address !== connection.remote.address;
      if (stranger || connection.incoming === other.incoming || other.incoming !== keepOurs)
        return "connected already";
      other.close("connected twice");
    }
    if (!connection.incoming) this.#candidates.handleConnected(connection.remote);
    return undefined;
  }

  /** @param end.byUs - The peer did not leave, it was let go. */
  handleClosed(peer: P, { reason, byUs }: { reason: string; byUs: boolean }, now: number): void {
    this.#outputs.push({ kind: "left", peer, reason });
    this.#peers.delete(peer);
    this.#unsent.delete(peer);
    const endpoint = dialledAt(peer);
    if (!endpoint || this.#isConnectedTo(endpoint)) return;
    const { connectedAtMs } = peer.swarm;
    const lastedMs = now - connectedAtMs;
    const kind = byUs ? "let-go" : "dropped";
    const end = connectedAtMs > 0 ? ({ kind, lastedMs } as const) : FAILED;
    this.#candidates.handleClosed(endpoint, end, now);
  }

  /** The peer says something of itself. One that dialled us can be found where it listens when it is lost. */
  handleWords(peer: P, words: PeerWords, now: number): void {
    const { swarm, connection } = peer;
    if (words.uploadOnly !== undefined) swarm.uploadOnly = words.uploadOnly;
    if (words.client !== undefined) swarm.clientWords = words.client;
    // Its first word counts, or one peer could fill the pool with ports.
    if (words.listenPort === undefined || swarm.listenPort !== undefined) return;
    swarm.listenPort = words.listenPort;
    if (!connection.incoming) return;
    const endpoint = { address: connection.remote.address, port: words.listenPort };
    this.#candidates.offer(endpoint, "incoming", now);
    this.#candidates.handleConnected(endpoint);
  }

  /** There is something to ask for again: whom we let go may be dialled now. */
  recall(now: number): void {
    this.#candidates.recall(now);
  }

  /** No connection from or to this address any more. */
  ban(address: string, reason: string): void {
    this.#candidates.ban(address);
    for (const { connection } of this.all()) {
      if (connection.remote.address === address) connection.close(reason);
    }
  }

  /** The peer has something gathered to send. */
  handleOutput(peer: P): void {
    this.#unsent.add(peer);
  }

  flush(now: number): void {
    for (const peer of this.#unsent) {
      this.#unsent.delete(peer);
      peer.swarm.lastFlushedAtMs = now;
      peer.connection.out.flush();
    }
  }

  /** Time-outs and keep-alives. */
  tick(now: number): void {
    const crowded = this.#peers.size >= this.#options.settings.connectionsPerTorrentMax * CROWDED;
    const { connectTimeoutMs, handshakeTimeoutMs } = this.#options.settings;
    for (const peer of this.all()) {
      if (peer.connection.isOpen) this.#tickPeer(peer, now, crowded);
      else if (now - peer.swarm.begunAtMs > connectTimeoutMs + handshakeTimeoutMs) {
        peer.connection.close("no handshake in time");
      }
    }
  }

  stats(): Pick<TorrentStats, "peers" | "seeds" | "knownPeers"> {
    let peers = 0;
    let seeds = 0;
    for (const { connection } of this.open()) {
      peers += 1;
      if (connection.isSeed) seeds += 1;
    }
    return { peers, seeds, knownPeers: this.#candidates.size };
  }

  /**
   * For each piece the peers that have it, those left out that have all. For people to look at: of a crowd around
   * millions of pieces only the first are counted.
   */
  partialCopies(pieceCount: number): Uint16Array {
    const copies = new Uint16Array(pieceCount);
    let looksLeft = PIECE_LOOKS_MAX;
    for (const { connection } of this.open()) {
      const { pieces } = connection;
      if (!pieces || pieces.count === 0 || pieces.full) continue;
      looksLeft -= pieceCount;
      if (looksLeft < 0) break;
      for (let piece = 0; piece < pieceCount; piece += 1) {
        if (pieces.has(piece)) copies[piece]! += 1;
      }
    }
    return copies;
  }

  /** Also by a connection that it opened. */
  #isConnectedTo({ address, port }: Endpoint): boolean {
    for (const peer of this.#peers) {
      const endpoint = dialledAt(peer);
      if (endpoint?.port === port && endpoint.address === address) return true;
    }
    return false;
  }

  #tickPeer({ connection, swarm }: P, now: number, crowded: boolean): void {
    const { settings } = this.#options;
    const idle = !connection.amInterested && !connection.peerInterested;
    if (now - connection.lastReceivedAtMs > settings.idleTimeoutMs) {
      connection.close("silent for too long");
    } else if (swarm.reading.isStalled(connection.out, now)) {
      connection.close("does not read what we send");
    } else if (crowded && idle && now - swarm.connectedAtMs > USELESS_MS) {
      connection.close("neither side wants anything");
    } else if (now - swarm.lastFlushedAtMs > settings.keepAliveMs) {
      connection.out.keepAlive();
    }
  }

  /**
   * Makes room for a newcomer: a peer with whom neither side wants anything goes, else one that nothing moves
   * to or from, of a network that has more of those than the newcomer's has peers (WIR-20).
   *
   * @returns False when every peer is of use, or has as good a right.
   */
  evictFor(newcomer: string, now: number): boolean {
    const network = networkName(newcomer);
    if (network === undefined) return false;
    const idle: { peer: Connection; network: string }[] = [];
    for (const peer of this.#peers) {
      const { connection } = peer;
      if (connection.isOpen && !connection.amInterested && !connection.peerInterested) {
        connection.close("room is needed for another");
        return true;
      }
      if (peer.isMoving(now)) continue;
      idle.push({ peer: connection, network: networkName(connection.remote.address)! });
    }
    const victim = mostCrowded(idle, network);
    victim?.close("room is needed for another");
    return victim !== undefined;
  }

  /**
   * Closes the least useful peer to free a connection for another torrent: a peer with no interest on either side, else
   * the slowest one, and of several idle peers the newest.
   *
   * @returns False when every peer connected too recently to be judged.
   */
  letGoLeastUseful(now: number): boolean {
    let victim: P | undefined;
    let leastUse = Number.POSITIVE_INFINITY;
    for (const peer of this.open()) {
      const { connection, swarm } = peer;
      if (now - swarm.connectedAtMs < SETTLED_MS) continue;
      const isWanted = connection.amInterested || connection.peerInterested;
      const use = isWanted ? peer.bytesPerSecond(now) : -1;
      if (use > leastUse) continue;
      victim = peer;
      leastUse = use;
    }
    victim?.connection.close("room is needed for another torrent");
    return victim !== undefined;
  }
}

/** Where the peer is dialled; `undefined` while that is not known of one that dialled us. */
export function dialledAt({ connection, swarm }: SwarmMember): Endpoint | undefined {
  const { incoming, remote } = connection;
  if (!incoming) return remote;
  const { listenPort } = swarm;
  return listenPort === undefined ? undefined : { address: remote.address, port: listenPort };
}
