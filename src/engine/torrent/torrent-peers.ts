import { equalBytes } from "../../base/bytes.ts";
import { formatAddress } from "../../base/endpoint.ts";
import { wireInfohashes, type Infohashes } from "../../base/infohash.ts";
import { banKey, formatPeerAddress, ipOf, type PeerAddress } from "../../base/peer-address.ts";
import type { TorrentInfo } from "../../metainfo/metainfo.ts";
import { ALLOWED_FAST_COUNT, allowedFastSet } from "../../wire/allowed-fast.ts";
import type { HandshakeFlags } from "../../wire/handshake.ts";
import { encodePort } from "../../wire/encode-messages.ts";
import { BASE_HASHES_MAX, encodeHashReject } from "../../wire/hash-transfer.ts";
import { WireError } from "../../wire/wire-error.ts";
import { boundsOf, type PieceBounds, UNKNOWN_BOUNDS } from "../../wire/piece-bounds.ts";
import type { HashRange } from "../../wire/wire-sink.ts";
import type { ConnectionSharer } from "../sharing/connection-shares.ts";
import { SlotClaim } from "../sharing/slot-shares.ts";
import { Choker } from "../upload/choker.ts";
import { SuperSeeding } from "../upload/super-seeding.ts";
import { ExtensionExchange } from "../exchange/extension-exchange.ts";
import type { HashExchange } from "../exchange/hash-exchange.ts";
import type { Connection } from "../connection/connection.ts";
import type { DecoratedPeer, StreamDecorator } from "../stream-decorator.ts";
import type { AddTorrent, PeerStatus, SourceKind } from "../session-contract.ts";
import type { BurstMember } from "../sharing/bursts.ts";
import { OutputQueue } from "../sharing/output-queue.ts";
import { type LeftOutput, Swarm } from "../swarm/swarm.ts";
import { type PeerRoutes, TorrentPeer } from "./torrent-peer.ts";
import type { TorrentHost } from "./torrent-host.ts";
import type { TorrentTraffic } from "./torrent-traffic.ts";
import type { Transfer } from "./transfer.ts";

/** What the peers of a torrent must know about it, much of which is known late. They only ask; they change nothing. */
export interface TorrentOfPeers extends BurstMember {
  readonly infohashes: Infohashes;
  readonly info: TorrentInfo | undefined;
  /** What it was added with. */
  readonly added: Pick<AddTorrent, "extensions" | "superSeeding">;
  /** Set when its files begin to open. */
  readonly hashes: HashExchange | undefined;
  /** Set when its files are open. */
  readonly transfer: Transfer | undefined;
  /** Peers may connect, and be dialled. */
  readonly takesPeers: boolean;
}

/** The outputs of the peers for the torrent. */
export type PeersOutput =
  /** The info dictionary is whole and matches the infohashes. */
  | { readonly kind: "metadata"; readonly infoBytes: Uint8Array }
  /** Hashes of pieces have become known. */
  | { readonly kind: "hashes" }
  | { readonly kind: "banned"; readonly address: string; readonly reason: string };

/**
 * The peers of one torrent. Messages that concern several parts are passed on to each of them here, and decisions to
 * choke, drop or ban a peer are carried out here.
 */
export class TorrentPeers implements PeerRoutes, ConnectionSharer {
  readonly swarm: Swarm<TorrentPeer>;
  readonly extensions: ExtensionExchange<TorrentPeer>;
  readonly peerId: Uint8Array;
  readonly traffic: TorrentTraffic;
  /** Shared by all peers: both bounds are the piece count, as soon as it is known. */
  readonly #bounds: { wanted: number; served: number };
  readonly #host: TorrentHost;
  readonly #torrent: TorrentOfPeers;
  readonly #outputs = new OutputQueue<PeersOutput>();
  readonly #choker: Choker<TorrentPeer>;
  readonly #slots = new SlotClaim();
  /** Set while we seed so (BEP 16). */
  #superSeeding: SuperSeeding<TorrentPeer> | undefined;
  /** The one or two infohashes of 20 bytes that a handshake may carry. */
  readonly #infohashes: readonly Uint8Array[];

  constructor(host: TorrentHost, torrent: TorrentOfPeers, traffic: TorrentTraffic) {
    const { ports, settings, peerId } = host;
    this.#host = host;
    this.#torrent = torrent;
    this.traffic = traffic;
    this.peerId = peerId;
    this.#infohashes = wireInfohashes(torrent.infohashes);
    const { info } = torrent;
    this.#bounds = { ...(info ? boundsOf(info.geometry.pieceCount) : UNKNOWN_BOUNDS) };
    const { isWorthAnotherTry } = host.decorators;
    this.swarm = new Swarm({
      ports,
      settings,
      peerId,
      dials: host.dials,
      isWorthAnotherTry,
      outer: host.outer,
    });
    this.#choker = new Choker(ports.random);
    this.extensions = this.#makeExtensions();
  }

  get bounds(): PieceBounds {
    return this.#bounds;
  }

  get flags(): HandshakeFlags {
    const dht = this.#dhtPort !== undefined;
    return { extended: true, fast: true, dht, v2: this.#hasV2 };
  }

  get #hasV2(): boolean {
    return this.#torrent.infohashes.v2 !== undefined;
  }

  /** Of our DHT node, which peers of a torrent that may be private do not hear of (DHT-7). */
  get #dhtPort(): number | undefined {
    return this.#torrent.info?.private === false ? this.#host.dht?.port() : undefined;
  }

  get #transfer(): Transfer | undefined {
    return this.#torrent.transfer;
  }

  #nowMs(): number {
    return this.#host.ports.clock.nowMs();
  }

  settle(): void {
    this.#host.bursts.settle(this.#torrent);
  }

  accepts(infohash: Uint8Array): boolean {
    return this.#infohashes.some((known) => equalBytes(known, infohash));
  }

  answerTo(infohash: Uint8Array, speaksV2: boolean): Uint8Array {
    // The upgrade of BEP 52. We must send it: when both swarms of a hybrid have told libtorrent about us, it
    // hangs up on a v1 answer, and calls again a minute later.
    const last = this.#infohashes.at(-1)!;
    return speaksV2 && this.#hasV2 ? last : infohash;
  }

  decorate(peer: DecoratedPeer): StreamDecorator | undefined {
    return this.#host.decorators.behindHandshake?.(peer);
  }

  get count(): number {
    return this.swarm.size;
  }

  get openCount(): number {
    return this.swarm.openCount;
  }

  /**
   * @param hasRoom - The torrent may have one more connection. If not, the peer has to replace another of its peers.
   * @returns Whether a peer that dialled us is accepted; then it belongs to this torrent.
   */
  admit(connection: Connection, hasRoom: boolean): boolean {
    const now = this.#nowMs();
    const { remote } = connection;
    if (!this.#torrent.takesPeers || !this.swarm.mayEnter(remote, hasRoom, now)) return false;
    this.#adopt(connection, "incoming", now);
    return true;
  }

  /** @returns Whether a peer was dropped to make room for one from this address. */
  evictFor(address: PeerAddress): boolean {
    return this.swarm.evictFor(address, this.#nowMs());
  }

  /** Closes the least useful peer to free a connection for another torrent. @returns False when none qualifies. */
  letGoLeastUseful(now: number): boolean {
    return this.swarm.letGoLeastUseful(now);
  }

  /** There is an address to dial now. */
  wantsToDial(now: number): boolean {
    return this.#torrent.takesPeers && this.swarm.wantsToDial(now);
  }

  /** Opens a connection to the next candidate. @returns False when there is none to dial now. */
  dialNext(now: number): boolean {
    // Seeds dial too: a leecher behind a router cannot be reached by peers that only wait for connections.
    const ways = this.#torrent.takesPeers ? this.swarm.nextCandidate(now) : undefined;
    if (!ways) return false;
    const connection = this.#host.dial(ways, this, this.#infohashes[0]!);
    if (connection) this.#adopt(connection, this.swarm.sourceOf(ways), now);
    else this.swarm.handleNotDialled(ways);
    return connection !== undefined;
  }

  #adopt(connection: Connection, source: SourceKind, now: number): void {
    const { requestQueueMax } = this.#host.settings;
    const begun = { source, begunAtMs: now };
    const peer = new TorrentPeer({ connection, torrent: this, requestQueueMax, ...begun });
    this.swarm.join(peer);
    connection.adopt(peer);
  }

  statuses(now: number): PeerStatus[] {
    return Array.from(this.swarm.open(), (peer) => peer.status(now));
  }

  closeAll(reason: string): void {
    for (const peer of this.swarm.all()) peer.close(reason);
    this.#host.scheduler.slots.release(this.#slots);
  }

  // ---- Outputs ---------------------------------------------------------------------------------------

  handleReady(peer: TorrentPeer): string | undefined {
    const refusal = this.swarm.refusal(peer, this.#nowMs());
    if (refusal !== undefined) return refusal;
    const { connection } = peer;
    this.#host.reachability.handleReady(connection, this.#nowMs());
    if (connection.local) this.#host.outer.handleLocal(connection.local.address);
    this.extensions.join(peer);
    const transfer = this.#transfer;
    const have = this.#superSeeding?.isOver === false ? undefined : transfer?.have;
    connection.out.possession(have, connection.fast);
    this.#tellPort(connection);
    if (transfer) this.#introduce(peer, transfer);
    return undefined;
  }

  /** Where our DHT node is, for a peer that has one (BEP 5). */
  #tellPort({ flags, out }: Connection): void {
    const port = this.#dhtPort;
    if (flags?.dht === true && port !== undefined) out.frame(encodePort(port));
  }

  handlePort({ connection }: TorrentPeer, port: number): void {
    const ip = ipOf(connection.remote);
    if (this.#dhtPort === undefined || ip === undefined || port === 0) return;
    this.#host.dht!.handleNode({ address: ip, port });
  }

  handleClosed(peer: TorrentPeer, reason: string, byUs: boolean): void {
    this.swarm.handleClosed(peer, { reason, byUs }, this.#nowMs());
    this.settle();
  }

  /**
   * Carries out the outputs of the swarm. Call it when a burst is over, and wherever the next step must know which
   * peers have left, until it returns `undefined`.
   */
  nextOutput(): PeersOutput | undefined {
    for (let next = this.swarm.nextOutput(); next; next = this.swarm.nextOutput()) {
      if (next.kind === "left") this.#handleLeft(next);
      else this.extensions.handleUnreached(next.address);
    }
    return this.#outputs.next();
  }

  #handleLeft({ peer, reason, wasGood }: LeftOutput<TorrentPeer>): void {
    const { connection } = peer;
    if (peer.download) this.#transfer!.download.leave(peer.download);
    if (peer.upload) this.#transfer!.upload.leave(peer.upload);
    this.extensions.gone(peer, wasGood);
    this.#superSeeding?.leave(peer);
    this.#torrent.hashes?.gone(connection);
    this.#host.handleDisconnected(connection);
    const { log, faults } = this.#host.ports;
    const { remote, misbehaved } = connection;
    log.debug("peer closed", { peer: formatPeerAddress(remote), reason });
    if (misbehaved) faults?.count("bad-peer", { address: banKey(remote), why: reason });
    // A candidate may take the free place; the session's tick does that.
    if (this.#choker.gone(peer)) this.#rechoke();
  }

  mayServe(peer: TorrentPeer, piece: number, length: number): boolean {
    return this.#superSeeding?.handleRequest(peer, { piece, length }, this.#nowMs()) ?? true;
  }

  handleHave(peer: TorrentPeer, piece: number): void {
    this.#superSeeding?.handleHave(peer, piece, this.#nowMs());
    this.#dropIfUseless(peer);
  }

  handlePossession(peer: TorrentPeer): void {
    this.#superSeeding?.handlePossession(peer);
    this.#torrent.hashes?.requestFrom(peer.connection);
    this.#dropIfUseless(peer);
  }

  handleInterest(peer: TorrentPeer): void {
    if (!this.#transfer) return;
    if (peer.peerInterested) {
      if (this.#choker.hasFree || this.#slots.demand === 0) this.#rechoke();
      if (peer.amChoking) this.#grantFast(peer);
    } else if (!peer.amChoking) {
      peer.choke();
      this.#rechoke();
    }
  }

  handleExtended(peer: TorrentPeer, id: number, payload: Uint8Array): void {
    const news = this.extensions.handleExtended(peer, id, payload);
    switch (news?.kind) {
      case "words":
        if (news.words.requestQueue !== undefined) peer.setQueueLimit(news.words.requestQueue);
        this.#handleYourIp(peer, news.words.yourIp);
        this.swarm.handleWords(peer, news.words, this.#nowMs());
        break;
      case "metadata":
        this.#outputs.push(news);
        break;
      case "metadata-liar":
        this.ban(news.liar.sender, "sent a false info dictionary");
        this.extensions.requestMetadata();
        break;
      case "dont-have":
        peer.handleDontHave(news.piece);
        break;
      case undefined:
        break;
    }
  }

  /** The peer says how it sees us. */
  #handleYourIp({ connection }: TorrentPeer, yourIp: Uint8Array | undefined): void {
    const ip = ipOf(connection.remote);
    if (yourIp && ip !== undefined) this.#host.outer.vote(ip, formatAddress(yourIp));
  }

  handleHashRequest(peer: TorrentPeer, range: HashRange): void {
    // BEP 52 forbids requests of that length. libtorrent 2.0.8 requests all leaves of a piece at once; it can
    // do without an answer, but may not survive a reject.
    if (range.length > BASE_HASHES_MAX) {
      peer.connection.countBadRequest();
      return;
    }
    const { upload, connection } = peer;
    if (upload && this.#transfer!.leaves.handleRequest(upload, range)) return;
    connection.out.frame(this.#torrent.hashes?.answer(range) ?? encodeHashReject(range));
  }

  handleHashes(peer: TorrentPeer, range: HashRange, hashes: Uint8Array): void {
    const { connection } = peer;
    const news = this.#torrent.hashes?.handleHashes(connection, range, hashes);
    if (news?.kind === "lie") connection.close("sent hashes that prove nothing");
    if (news?.kind !== "known") return;
    this.#transfer?.download.handleHashesKnown(news.runs);
    this.#torrent.hashes?.requestFrom(connection);
    this.#outputs.push({ kind: "hashes" });
  }

  handleHashReject(peer: TorrentPeer, range: HashRange): void {
    this.#torrent.hashes?.handleReject(peer.connection, range);
  }

  handleGathered(peer: TorrentPeer): void {
    this.swarm.handleGathered(peer);
  }

  // ---- Inputs ----------------------------------------------------------------------------------------

  /** The info dictionary arrived by magnet link: now we can interpret the pieces that peers announced. */
  setPieceCount(pieceCount: number): void {
    Object.assign(this.#bounds, boundsOf(pieceCount));
    this.extensions.handleInfo();
    for (const { connection } of this.swarm.all()) {
      try {
        if (!connection.isOpen) continue;
        connection.handleBounds();
        this.#tellPort(connection);
      } catch (error) {
        if (!(error instanceof WireError)) throw error;
        connection.close(error.message);
      }
    }
  }

  /** The files are open. Peers that connected before do not know what we have. */
  introduceAll(transfer: Transfer): void {
    if (this.#torrent.added.superSeeding === true && transfer.isComplete) {
      const pieceCount = this.#bounds.wanted;
      const { random } = this.#host.ports;
      const { geometry } = this.#torrent.info!;
      this.#superSeeding = new SuperSeeding({
        pieceCount,
        pieceSize: (piece) => geometry.pieceSize(piece),
        below: (end) => random.below(end),
      });
    }
    for (const peer of this.swarm.open()) {
      if (!this.#superSeeding) {
        for (const piece of transfer.have.indexes()) peer.connection.out.have(piece);
      }
      this.#introduce(peer, transfer);
    }
  }

  /** A peer that has the piece itself gets no `have`. */
  tellHave(piece: number): void {
    for (const peer of this.swarm.open()) {
      if (peer.pieces?.has(piece) !== true) peer.connection.out.have(piece);
      else this.#refreshInterest(peer);
    }
  }

  tellLost(piece: number): void {
    this.#superSeeding?.end();
    for (const peer of this.swarm.open()) {
      this.extensions.sendDontHave(peer, piece);
      this.#refreshInterest(peer);
    }
  }

  #refreshInterest({ download }: TorrentPeer): void {
    if (download) this.#transfer!.download.refreshInterest(download);
  }

  dropUseless(): void {
    for (const peer of this.swarm.all()) if (peer.isOpen) this.#dropIfUseless(peer);
  }

  /** @param address - Of `banKey`. */
  ban(address: string, reason: string): void {
    const { log, faults } = this.#host.ports;
    log.debug("peer banned", { address, reason });
    faults?.count("bad-peer", { address, why: reason });
    this.swarm.ban(address, reason);
    this.#outputs.push({ kind: "banned", address, reason });
  }

  /** Handles time-outs, and chokes when it is time to. */
  tick(now: number): void {
    this.swarm.tick(now);
    this.extensions.tick(now);
    if (!this.#transfer) return;
    this.#superSeeding?.tick(now);
    this.#torrent.hashes!.tick(this.#connections());
    if (this.#choker.due(now)) this.#rechoke();
  }

  *#connections(): Generator<Connection> {
    for (const { connection } of this.swarm.open()) yield connection;
  }

  #introduce(peer: TorrentPeer, transfer: Transfer): void {
    peer.introduce(transfer);
    if (this.#superSeeding?.isOver === false) this.#superSeeding.join(peer);
    this.#torrent.hashes!.requestFrom(peer.connection);
    this.#dropIfUseless(peer);
  }

  /** A peer that has hardly anything starts sooner, and has something to give sooner (BEP 6). */
  #grantFast({ upload, connection }: TorrentPeer): void {
    const pieceCount = this.#bounds.wanted;
    if (!upload || upload.grants.count > 0 || this.#superSeeding?.isOver === false) return;
    if (!connection.fast || (connection.pieces?.count ?? 0) >= ALLOWED_FAST_COUNT) return;
    // The set depends on the network of the IP address. Without one a peer could fetch another set with each new id.
    const address = ipOf(connection.remote);
    if (address === undefined) return;
    const infohash = this.#infohashes[0]!;
    this.#transfer!.upload.grant(upload, allowedFastSet({ address, infohash, pieceCount }));
  }

  #rechoke(): void {
    const transfer = this.#transfer;
    if (!transfer) return;
    const now = this.#nowMs();
    const peers = [...this.swarm.open()];
    const seeding = transfer.isComplete;
    const limited = transfer.isUploadLimited;
    const demand = { ...this.#choker.demand(peers, now), limited };
    const grant = this.#host.scheduler.slots.ask(this.#slots, demand, now);
    const { choke, unchoke } = this.#choker.decide({ peers, seeding, limited, now, ...grant });
    for (const peer of choke) peer.choke();
    for (const peer of unchoke) peer.connection.setChoking(false);
  }

  /** Two seeds have nothing to give each other. */
  #dropIfUseless(peer: TorrentPeer): void {
    if (this.#transfer?.isComplete !== true || !this.#torrent.hashes!.complete) return;
    if (peer.connection.isSeed || peer.swarm.uploadOnly) peer.close("both sides have everything");
  }

  #makeExtensions(): ExtensionExchange<TorrentPeer> {
    const { settings } = this.#host;
    return new ExtensionExchange({
      infohashes: this.#torrent.infohashes,
      metadataBytesMax: settings.metadataBytesMax,
      requestQueueMax: settings.requestQueueMax,
      listenPort: () => this.#host.port,
      prefersEncryption: () => this.#host.decorators.prefersEncryption?.(),
      bounds: this.#bounds,
      info: () => {
        const { info } = this.#torrent;
        return info && { bytes: info.infoBytes, private: info.private };
      },
      nowMs: () => this.#nowMs(),
      added: this.#torrent.added.extensions ?? [],
      offerPeers: (addresses, namedBy, dialUs) => {
        this.swarm.offerNamed(addresses, { namedBy, dialUs }, this.#nowMs());
        this.#host.handleCandidates();
      },
      burst: (run) => this.#host.bursts.run(run, this.#torrent),
    });
  }
}
