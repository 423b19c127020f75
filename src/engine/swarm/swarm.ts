import { compareBytes, equalBytes } from "../../base/bytes.ts";
import type { Endpoint } from "../../base/endpoint.ts";
import { Candidates, type CandidateSource, type ConnectionEnd } from "./candidates.ts";
import { mostCrowded, networkName } from "../sharing/crowd.ts";
import type { Peer } from "../connection/connection.ts";
import type { EngineSettings, EnginePorts, PeerStatus, TorrentStats } from "../session-contract.ts";

/** When nearly full, peers with whom neither side wants anything are let go after this. */
const USELESS_MS = 60_000;
const CROWDED = 0.9;
/** A peer that takes nothing of what we sent is closed after this; its blocks hold memory (WIR-6). */
const STALLED_MS = 30_000;
/** Looks into bitfields for one answer of `partialCopies`: some milliseconds. */
const PIECE_LOOKS_MAX = 2_000_000;

const FAILED: ConnectionEnd = { kind: "failed" };

export interface SwarmOptions {
  readonly ports: EnginePorts;
  readonly settings: EngineSettings;
  readonly peerId: Uint8Array;
}

/**
 * The peers of one torrent, connected and known: who may come in, who is dialled, who has to go, and
 * who has something gathered to be sent.
 */
export class Swarm {
  readonly #options: SwarmOptions;
  readonly #candidates: Candidates;
  /** Connected or connecting. */
  readonly #peers = new Set<Peer>();
  readonly #outputs = new Set<Peer>();

  constructor(options: SwarmOptions) {
    this.#options = options;
    this.#candidates = new Candidates({ random: options.ports.random });
  }

  get size(): number {
    return this.#peers.size;
  }

  /** Those we dialled that have not answered yet; who dials us takes none of our attempts (WIR-2). */
  get halfOpenCount(): number {
    let count = 0;
    for (const peer of this.#peers) if (!peer.incoming && !peer.isOpen) count += 1;
    return count;
  }

  get isFull(): boolean {
    return this.#peers.size >= this.#options.settings.connectionsPerTorrentMax;
  }

  /** Those whose handshake is over. */
  *open(): Generator<Peer> {
    for (const peer of this.#peers) if (peer.isOpen) yield peer;
  }

  /** All, as a copy: closing one changes the set. */
  all(): Peer[] {
    return [...this.#peers];
  }

  offer(endpoints: readonly Endpoint[], source: CandidateSource, now: number): void {
    for (const endpoint of endpoints) this.#candidates.offer(endpoint, source, now);
  }

  /** @returns Whether a peer that dialled us may come in; it is one of us then. */
  admit(peer: Peer, now: number): boolean {
    if (this.#candidates.isBanned(peer.remote.address)) return false;
    if (this.isFull && !this.evictFor(peer.remote.address, now)) return false;
    peer.begunAtMs = now;
    this.#peers.add(peer);
    return true;
  }

  /**
   * Dials the next candidate.
   *
   * @param dial - Opens the connection; `undefined` when a limit of the session forbids it now.
   * @returns False when nobody was dialled.
   */
  dialNext(now: number, dial: (remote: Endpoint) => Peer | undefined): boolean {
    if (this.isFull) return false;
    const remote = this.#candidates.next(now);
    if (!remote) return false;
    const peer = dial(remote);
    if (!peer) {
      this.#candidates.handleNotDialled(remote);
      return false;
    }
    peer.begunAtMs = now;
    this.#peers.add(peer);
    return true;
  }

  /** The handshake is over. @returns Why the peer is refused, or `undefined`. */
  refusal(peer: Peer): string | undefined {
    const peerId = peer.peerId!;
    const ours = this.#options.peerId;
    if (equalBytes(peerId, ours)) {
      this.#candidates.ban(peer.remote.address, peer.remote.port);
      return "this is ourselves";
    }
    for (const other of this.open()) {
      if (other === peer || !equalBytes(other.peerId!, peerId)) continue;
      // Both sides keep the connection that the smaller peer id opened, so that one of two stays.
      const keepOurs = compareBytes(ours, peerId) < 0;
      // From another address it may be a stranger with a stolen id: who is here stays (WIR-20).
      const stranger = other.remote.address !== peer.remote.address;
      if (stranger || peer.incoming === other.incoming || other.incoming !== keepOurs)
        return "connected already";
      other.close("connected twice");
    }
    if (!peer.incoming) this.#candidates.handleConnected(peer.remote);
    return undefined;
  }

  /** @param byUs - The peer did not leave, it was let go. */
  handleClosed(peer: Peer, byUs: boolean, now: number): void {
    this.#peers.delete(peer);
    this.#outputs.delete(peer);
    const endpoint = dialledAt(peer);
    if (!endpoint || this.#isConnectedTo(endpoint)) return;
    const lastedMs = now - peer.connectedAtMs;
    const kind = byUs ? "let-go" : "dropped";
    const end = peer.connectedAtMs > 0 ? ({ kind, lastedMs } as const) : FAILED;
    this.#candidates.handleClosed(endpoint, end, now);
  }

  /** A peer that dialled us has said where it listens: there it can be found when the connection is lost. */
  handleListening(peer: Peer, now: number): void {
    const endpoint = dialledAt(peer);
    if (!endpoint) return;
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
    for (const peer of this.all()) if (peer.remote.address === address) peer.close(reason);
  }

  /** The peer has something gathered to send. */
  handleOutput(peer: Peer): void {
    this.#outputs.add(peer);
  }

  flush(now: number): void {
    for (const peer of this.#outputs) {
      this.#outputs.delete(peer);
      peer.lastFlushedAtMs = now;
      peer.out.flush();
    }
  }

  /** Time-outs and keep-alives. */
  tick(now: number): void {
    const crowded = this.#peers.size >= this.#options.settings.connectionsPerTorrentMax * CROWDED;
    const { connectTimeoutMs, handshakeTimeoutMs } = this.#options.settings;
    for (const peer of this.all()) {
      if (peer.isOpen) this.#tickPeer(peer, now, crowded);
      else if (now - peer.begunAtMs > connectTimeoutMs + handshakeTimeoutMs) {
        peer.close("no handshake in time");
      }
    }
  }

  stats(): Pick<TorrentStats, "peers" | "seeds" | "knownPeers"> {
    let peers = 0;
    let seeds = 0;
    for (const peer of this.open()) {
      peers += 1;
      if (peer.isSeed) seeds += 1;
    }
    return { peers, seeds, knownPeers: this.#candidates.size };
  }

  statuses(now: number): PeerStatus[] {
    return [...this.open()].map((peer) => statusOf(peer, now));
  }

  /**
   * For each piece the peers that have it, those left out that have all. For people to look at: of a crowd around
   * millions of pieces only the first are counted.
   */
  partialCopies(pieceCount: number): Uint16Array {
    const copies = new Uint16Array(pieceCount);
    let looksLeft = PIECE_LOOKS_MAX;
    for (const { pieces } of this.open()) {
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

  #tickPeer(peer: Peer, now: number, crowded: boolean): void {
    const { settings } = this.#options;
    const idle = !peer.amInterested && !peer.peerInterested;
    if (now - peer.lastReceivedAtMs > settings.idleTimeoutMs) {
      peer.close("silent for too long");
    } else if (peer.out.stalledMs(now) > STALLED_MS) {
      peer.close("does not read what we send");
    } else if (crowded && idle && now - peer.connectedAtMs > USELESS_MS) {
      peer.close("neither side wants anything");
    } else if (now - peer.lastFlushedAtMs > settings.keepAliveMs) {
      peer.out.keepAlive();
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
    const idle: { peer: Peer; network: string }[] = [];
    for (const peer of this.#peers) {
      if (peer.isOpen && !peer.amInterested && !peer.peerInterested) {
        peer.close("room is needed for another");
        return true;
      }
      if (peer.upload.bytesPerSecond(now) > 0 || peer.download.bytesPerSecond(now) > 0) continue;
      idle.push({ peer, network: networkName(peer.remote.address)! });
    }
    const victim = mostCrowded(idle, network);
    victim?.close("room is needed for another");
    return victim !== undefined;
  }
}

/** Where the peer is dialled; `undefined` while that is not known of one that dialled us. */
function dialledAt({ incoming, remote, listenPort }: Peer): Endpoint | undefined {
  if (!incoming) return remote;
  return listenPort === undefined ? undefined : { address: remote.address, port: listenPort };
}

function statusOf(peer: Peer, now: number): PeerStatus {
  return {
    remote: peer.remote,
    incoming: peer.incoming,
    client: peer.client,
    piecesHeld: peer.pieces?.count ?? 0,
    amChoking: peer.amChoking,
    amInterested: peer.amInterested,
    peerChoking: peer.peerChoking,
    peerInterested: peer.peerInterested,
    snubbed: peer.snubbed,
    uploaded: peer.uploaded,
    downloaded: peer.downloaded,
    uploadBytesPerSecond: peer.upload.bytesPerSecond(now),
    downloadBytesPerSecond: peer.download.bytesPerSecond(now),
  };
}
