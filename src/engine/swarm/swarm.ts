import { compareBytes, equalBytes } from "../../base/bytes.ts";
import { addressKey, banKey, networkKey, type PeerAddress } from "../../base/peer-address.ts";
import { Candidates, type ConnectionEnd } from "./candidates.ts";
import type { PeerWays } from "./peer-ways.ts";
import { peerPriority } from "../../wire/peer-priority.ts";
import { mostCrowded } from "../sharing/crowd.ts";
import type { OuterAddresses } from "../sharing/outer-addresses.ts";
import type { DialHistory } from "../sharing/dial-history.ts";
import { OutputQueue } from "../sharing/output-queue.ts";
import type { Connection } from "../connection/connection.ts";
import type { EngineSettings, EnginePorts, SourceKind, TorrentStats } from "../session-contract.ts";
import type { PeerWords, SwarmPeer } from "./swarm-peer.ts";

/** When nearly full, a peer is dropped after neither side was interested for this long. */
const USELESS_MS = 60_000;
const CROWDED = 0.9;
/** A peer is not judged by its rate before it has been connected for this long. */
const SETTLED_MS = 30_000;
/** A dial without an answer after this long may need an introduction (BEP 55): few round trips take a second. */
const UNANSWERED_MS = 2_000;
/** Between two peers that give way to one with a higher priority: a flood of addresses must not change all peers. */
const REPLACE_MS = 5_000;
/** Bitfield lookups for one answer of `partialCopies`: some milliseconds. */
const PIECE_LOOKS_MAX = 2_000_000;

const TRY_OTHERWISE: ConnectionEnd = { kind: "try-otherwise" };

export interface SwarmOptions {
  readonly ports: EnginePorts;
  readonly settings: EngineSettings;
  readonly peerId: Uint8Array;
  readonly outer: OuterAddresses;
  readonly dials: Pick<DialHistory, "readyAtMs">;
  /** Asked when a connection to a peer that was reached ended before its handshake. */
  readonly isWorthAnotherTry?: ((remote: PeerAddress) => boolean) | undefined;
}

/** The peer no longer belongs to us. */
export interface LeftOutput<P> {
  readonly kind: "left";
  readonly peer: P;
  readonly reason: string;
  /** It was connected, broke no rule and is not banned. */
  readonly wasGood: boolean;
}

/** The outputs of the swarm for the torrent. */
export type SwarmOutput<P> =
  | LeftOutput<P>
  /** It was dialled, and there was no answer, or there is none yet. Told once for each dial. */
  | { readonly kind: "unreached"; readonly address: PeerAddress };

/** A peer of a torrent, as far as the swarm is concerned. */
export interface SwarmMember {
  readonly connection: Connection;
  readonly swarm: SwarmPeer;
  /** Blocks are on their way to it or from it. */
  isMoving(now: number): boolean;
  /** Rate of blocks, both directions together. */
  bytesPerSecond(now: number): number;
}

/**
 * The peers of one torrent, connected and known: decides which peers are accepted, dialled and dropped, and tracks
 * which have gathered messages to send.
 */
export class Swarm<P extends SwarmMember> {
  readonly #options: SwarmOptions;
  readonly #candidates: Candidates;
  /** Connected or connecting. */
  readonly #peers = new Set<P>();
  /** Peers with gathered messages to send. */
  readonly #unsent = new Set<P>();
  readonly #outputs = new OutputQueue<SwarmOutput<P>>();
  #replacedAtMs = Number.NEGATIVE_INFINITY;
  /** Dialled although all places are taken: it takes one of a lower priority, or goes. */
  #challenger: P | undefined;
  /** When a challenger was chosen the last time. */
  #challengedAtMs = Number.NEGATIVE_INFINITY;
  #isChallenging = false;
  /** Of the addresses that the candidates were ranked by. */
  #outerVersion = 0;

  constructor(options: SwarmOptions) {
    this.#options = options;
    const { random, transports } = options.ports;
    this.#candidates = new Candidates({
      random,
      kinds: new Set(transports.map(({ kind }) => kind)),
      dials: options.dials,
      priorityOf: (address) => this.#priorityOf(address),
    });
  }

  /** Call this when a burst is over, until it returns `undefined`. */
  nextOutput(): SwarmOutput<P> | undefined {
    return this.#outputs.next();
  }

  get size(): number {
    return this.#peers.size;
  }

  wantsToDial(now: number): boolean {
    return this.isFull ? this.#mayChallenge(now) : this.#candidates.isAnyDue(now);
  }

  get openCount(): number {
    let count = 0;
    for (const { connection } of this.#peers) if (connection.isOpen) count += 1;
    return count;
  }

  get isFull(): boolean {
    return this.#peers.size >= this.#options.settings.connectionsPerTorrentMax;
  }

  /** Peers whose handshake is complete. */
  *open(): Generator<P> {
    for (const peer of this.#peers) if (peer.connection.isOpen) yield peer;
  }

  /** All peers, as a copy: closing one changes the set. */
  all(): P[] {
    return [...this.#peers];
  }

  offer(addresses: readonly PeerAddress[], source: SourceKind, now: number): void {
    for (const address of addresses) this.#candidates.offer(address, source, now);
  }

  /**
   * @param by.namedBy - The peer that named them (BEP 11).
   * @param by.dialUs - They dial us at this moment (BEP 55).
   */
  offerNamed(
    addresses: readonly PeerAddress[],
    { namedBy, dialUs }: { readonly namedBy: PeerAddress; readonly dialUs: boolean },
    now: number,
  ): void {
    const network = networkKey(namedBy);
    if (network === undefined) return;
    for (const address of addresses) {
      this.#candidates.offerNamed(address, network, now);
      if (dialUs) this.#candidates.hasten(address, now);
    }
  }

  /** Forgets the addresses of all other kinds of sources, and closes the peers that were dialled there. */
  keepOnly(kinds: ReadonlySet<SourceKind>, reason: string): void {
    const dropped = this.#candidates.keepOnly(kinds);
    for (const { connection } of this.all()) {
      const { incoming, remote } = connection;
      if (!incoming && dropped.has(addressKey(remote))) connection.close(reason);
    }
  }

  /** @returns Whether a peer that dialled us is accepted; then it must join. */
  mayEnter(address: PeerAddress, hasRoom: boolean, now: number): boolean {
    if (this.#candidates.isBanned(address)) return false;
    if ((hasRoom && !this.isFull) || this.evictFor(address, now)) return true;
    return this.isFull && this.#giveWayTo(address, now);
  }

  /** @returns The address to dial, or `undefined`. The caller must report whether it was dialled. */
  nextCandidate(now: number): PeerWays | undefined {
    const { version } = this.#options.outer;
    if (version !== this.#outerVersion) {
      this.#outerVersion = version;
      this.#candidates.handlePriorities();
    }
    const { isFull } = this;
    if (isFull && !this.#mayChallenge(now)) return undefined;
    const ways = this.#candidates.next(now);
    this.#isChallenging = isFull && ways !== undefined;
    if (this.#isChallenging) this.#challengedAtMs = now;
    return ways;
  }

  /** Whether the best candidate has a higher priority than a peer that has its place (BEP 40). */
  #mayChallenge(now: number): boolean {
    if (this.#challenger || now - this.#challengedAtMs < REPLACE_MS) return false;
    const best = this.#candidates.best(now);
    return best !== undefined && this.#lowerThan(best, now) !== undefined;
  }

  /** @returns Who named an address that `nextCandidate` returned. */
  sourceOf([address]: PeerWays): SourceKind {
    return this.#candidates.sourceOf(address) ?? "manual";
  }

  /** A limit of the session forbids dialling now. */
  handleNotDialled([address]: PeerWays): void {
    this.#isChallenging = false;
    this.#candidates.handleNotDialled(address);
  }

  /** The peer is being dialled, or has dialled us and is accepted. */
  join(peer: P): void {
    this.#peers.add(peer);
    if (!this.#isChallenging || peer.connection.incoming) return;
    this.#isChallenging = false;
    this.#challenger = peer;
  }

  /** The handshake is complete. @returns Why the peer is refused, or `undefined`. */
  refusal(peer: P, now: number): string | undefined {
    const { connection } = peer;
    peer.swarm.connectedAtMs = now;
    const peerId = connection.peerId!;
    const ours = this.#options.peerId;
    if (equalBytes(peerId, ours)) {
      this.#candidates.banOwn(connection.remote);
      return "this is ourselves";
    }
    for (const { connection: other } of this.open()) {
      if (other === connection || !equalBytes(other.peerId!, peerId)) continue;
      // Both sides keep the connection that the smaller peer id opened, so that one of the two remains.
      const keepOurs = compareBytes(ours, peerId) < 0;
      // From another address it may be a stranger with a stolen id: the existing peer stays (WIR-20).
      const stranger = banKey(other.remote) !== banKey(connection.remote);
      if (stranger || connection.incoming === other.incoming || other.incoming !== keepOurs)
        return "connected already";
      other.close("connected twice");
    }
    if (!connection.incoming) this.#candidates.handleConnected(connection.remote, true);
    if (peer !== this.#challenger) return undefined;
    this.#challenger = undefined;
    const isOver = this.#peers.size > this.#options.settings.connectionsPerTorrentMax;
    return isOver && !this.#giveWayTo(connection.remote, now, peer)
      ? "no place is left"
      : undefined;
  }

  /** @param end.byUs - The peer did not leave: we dropped it. */
  handleClosed(peer: P, { reason, byUs }: { reason: string; byUs: boolean }, now: number): void {
    const { connection } = peer;
    const isKnown = peer.swarm.connectedAtMs > 0;
    const wasGood =
      isKnown && !connection.misbehaved && !this.#candidates.isBanned(connection.remote);
    this.#outputs.push({ kind: "left", peer, reason, wasGood });
    this.#peers.delete(peer);
    this.#unsent.delete(peer);
    if (peer === this.#challenger) this.#challenger = undefined;
    if (!byUs) this.#tellUnreached(peer);
    const address = dialledAt(peer);
    if (!address || this.#isConnectedTo(address)) return;
    const { connectedAtMs } = peer.swarm;
    const lastedMs = now - connectedAtMs;
    const kind = byUs ? "let-go" : "dropped";
    const end = connectedAtMs > 0 ? ({ kind, lastedMs } as const) : this.#failure(peer);
    this.#candidates.handleClosed(address, end, now);
  }

  /** Says so of a peer that was dialled, and has not answered. */
  #tellUnreached({ connection, swarm }: P): void {
    if (connection.incoming || connection.wasReached || swarm.isUnreachedTold) return;
    swarm.isUnreachedTold = true;
    this.#outputs.push({ kind: "unreached", address: connection.remote });
  }

  /** No handshake was exchanged with the peer. */
  #failure({ connection }: P): ConnectionEnd {
    const { wasReached, incoming, remote } = connection;
    const isReached = wasReached && !incoming;
    return isReached && this.#options.isWorthAnotherTry?.(remote) === true
      ? TRY_OTHERWISE
      : { kind: "failed", wasReached: isReached };
  }

  /** The peer announces something. If it dialled us, we can now reach it again where it listens. */
  handleWords(peer: P, words: PeerWords, now: number): void {
    const { swarm, connection } = peer;
    if (words.uploadOnly !== undefined) swarm.uploadOnly = words.uploadOnly;
    if (words.prefersEncryption !== undefined) swarm.prefersEncryption = words.prefersEncryption;
    if (words.client !== undefined) swarm.clientWords = words.client;
    // Its first announcement counts; otherwise one peer could fill the pool with ports.
    if (words.listenPort === undefined || swarm.listenPort !== undefined) return;
    swarm.listenPort = words.listenPort;
    if (!connection.incoming) return;
    const address = listeningAt(connection.remote, words.listenPort);
    if (!address) return;
    this.#candidates.offer(address, "incoming", now);
    this.#candidates.handleConnected(address, false);
  }

  /** There is something to request again: peers that we dropped may be dialled now. */
  recall(now: number): void {
    this.#candidates.recall(now);
  }

  /** Ends all connections from or to this address, and allows no new ones. */
  ban(key: string, reason: string): void {
    this.#candidates.ban(key);
    for (const { connection } of this.all()) {
      if (banKey(connection.remote) === key) connection.close(reason);
    }
  }

  /** The peer has gathered messages to send. */
  handleGathered(peer: P): void {
    this.#unsent.add(peer);
  }

  flush(now: number): void {
    for (const peer of this.#unsent) {
      this.#unsent.delete(peer);
      peer.swarm.lastFlushedAtMs = now;
      peer.connection.out.flush();
    }
  }

  /** Handles time-outs and keep-alives. */
  tick(now: number): void {
    const crowded = this.#peers.size >= this.#options.settings.connectionsPerTorrentMax * CROWDED;
    const { connectTimeoutMs, handshakeTimeoutMs } = this.#options.settings;
    for (const peer of this.all()) {
      if (peer.connection.isOpen) this.#tickPeer(peer, now, crowded);
      else if (now - peer.swarm.begunAtMs > connectTimeoutMs + handshakeTimeoutMs) {
        peer.connection.close("no handshake in time");
      } else if (now - peer.swarm.begunAtMs >= UNANSWERED_MS) this.#tellUnreached(peer);
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
   * For each piece, how many peers have it, not counting those that have all. It is meant for users: with a crowd and
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

  /** Even over a connection that it opened. */
  #isConnectedTo(address: PeerAddress): boolean {
    const key = addressKey(address);
    for (const peer of this.#peers) {
      const other = dialledAt(peer);
      if (other && addressKey(other) === key) return true;
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
   * Makes room for a newcomer: drops a peer when neither side is interested, or else one with which no data moves, of a
   * network that has more such peers than the newcomer's network has peers (WIR-20).
   *
   * @returns False when every peer is useful, or has an equal right to its place.
   */
  evictFor(newcomer: PeerAddress, now: number): boolean {
    const network = networkKey(newcomer);
    if (network === undefined) return false;
    const idle: { peer: Connection; network: string }[] = [];
    for (const peer of this.#peers) {
      const { connection } = peer;
      if (connection.isOpen && !connection.amInterested && !connection.peerInterested) {
        connection.close("room is needed for another");
        return true;
      }
      if (peer.isMoving(now)) continue;
      idle.push({ peer: connection, network: networkKey(connection.remote)! });
    }
    const victim = mostCrowded(idle, network);
    victim?.close("room is needed for another");
    return victim !== undefined;
  }

  /**
   * When all are useful, the one with the lowest priority gives way to a newcomer with a higher one (BEP 40). Nobody can choose
   * its priority, so peers of a crowded swarm stay connected to each other by chance, and newcomers get in.
   *
   * @returns Whether one has gone.
   */
  #giveWayTo(newcomer: PeerAddress, now: number, itself?: P): boolean {
    if (now - this.#replacedAtMs < REPLACE_MS) return false;
    const victim = this.#lowerThan(newcomer, now, itself);
    if (!victim) return false;
    this.#replacedAtMs = now;
    victim.close("a peer with a higher priority takes its place");
    return true;
  }

  /**
   * @param itself - The newcomer, when it is connected already.
   * @returns The settled peer with the lowest priority, if it is lower than the newcomer's; `undefined` also where somebody else
   *   of the newcomer's network has a place.
   */
  #lowerThan(newcomer: PeerAddress, now: number, itself?: P): Connection | undefined {
    const own = this.#priorityOf(newcomer);
    if (own === undefined) return undefined;
    const network = networkKey(newcomer);
    let victim: Connection | undefined;
    let least = own;
    for (const peer of this.#peers) {
      const { connection, swarm } = peer;
      if (peer === itself) continue;
      if (networkKey(connection.remote) === network) return undefined;
      if (!connection.isOpen || now - swarm.connectedAtMs < SETTLED_MS) continue;
      const priority = this.#priorityOf(connection.remote) ?? 0;
      if (priority >= least) continue;
      victim = connection;
      least = priority;
    }
    return victim;
  }

  /** @returns Of BEP 40, the same at both ends; `undefined` while our own address is not known. */
  #priorityOf(address: PeerAddress): number | undefined {
    if (address.kind === "webrtc") return undefined;
    const own = this.#options.outer.seenBy(address.endpoint.address);
    if (own === undefined) return undefined;
    return peerPriority({ address: own, port: 0 }, address.endpoint);
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

/** The address where the peer can be dialled; `undefined` while that is unknown for one that dialled us. */
export function dialledAt({ connection, swarm }: SwarmMember): PeerAddress | undefined {
  const { incoming, remote } = connection;
  if (!incoming) return remote;
  const { listenPort } = swarm;
  return listenPort === undefined ? undefined : listeningAt(remote, listenPort);
}

/** Where a peer that dialled us listens; `undefined` where a port does not say it. */
function listeningAt(remote: PeerAddress, port: number): PeerAddress | undefined {
  switch (remote.kind) {
    case "tcp":
    case "utp":
      return { kind: remote.kind, endpoint: { address: remote.endpoint.address, port } };
    case "webrtc":
      return undefined;
  }
}
