import type { Bitfield } from "../../base/bitfield.ts";
import { equalBytes } from "../../base/bytes.ts";
import type { Endpoint } from "../../base/endpoint.ts";
import { wireInfohashes, type Infohashes } from "../../base/infohash.ts";
import type { TorrentInfo } from "../../metainfo/metainfo.ts";
import { ALLOWED_FAST_COUNT, allowedFastSet } from "../../wire/allowed-fast.ts";
import type { HandshakeFlags } from "../../wire/handshake.ts";
import { BASE_HASHES_MAX, encodeHashReject } from "../../wire/hash-transfer.ts";
import { WireError } from "../../wire/wire-error.ts";
import type { HashRange } from "../../wire/wire-sink.ts";
import { Choker } from "../upload/choker.ts";
import { ExtensionExchange } from "../exchange/extension-exchange.ts";
import type { HashExchange } from "../exchange/hash-exchange.ts";
import type { Peer } from "../connection/connection.ts";
import type { PeerOwner } from "../connection/connection-sink.ts";
import { Swarm } from "../swarm/swarm.ts";
import type { TorrentHost } from "./torrent-host.ts";
import type { Transfer } from "./transfer.ts";

/** What the peers of a torrent must know of it, much of which comes late, and what they tell it. */
export interface TorrentOfPeers {
  readonly infohashes: Infohashes;
  info(): TorrentInfo | undefined;
  have(): Bitfield | undefined;
  hashes(): HashExchange | undefined;
  transfer(): Transfer | undefined;
  /** Everything that is wanted is here. */
  isComplete(): boolean;
  isStopped(): boolean;
  /** The info dictionary is whole and matches the infohashes. */
  handleMetadata(infoBytes: Uint8Array): void;
  handleDownloaded(bytes: number): void;
  handleBanned(address: string, reason: string): void;
  /** A burst of events is over. */
  settle(): void;
}

/**
 * The peers of one torrent: what each of them says goes to the part it concerns, and who is choked, let go or
 * banned is carried out here.
 */
export class TorrentPeers implements PeerOwner<Peer> {
  readonly swarm: Swarm;
  readonly extensions: ExtensionExchange;
  readonly flags: HandshakeFlags;
  readonly peerId: Uint8Array;
  readonly #host: TorrentHost;
  readonly #torrent: TorrentOfPeers;
  readonly #choker: Choker<Peer>;
  /** The 20 bytes of a handshake, one or two. */
  readonly #infohashes: readonly Uint8Array[];

  constructor(host: TorrentHost, torrent: TorrentOfPeers) {
    const { ports, settings, peerId } = host;
    this.#host = host;
    this.#torrent = torrent;
    this.peerId = peerId;
    this.#infohashes = wireInfohashes(torrent.infohashes);
    const v2 = torrent.infohashes.v2 !== undefined;
    this.flags = { extended: true, fast: true, dht: false, v2 };
    this.swarm = new Swarm({ ports, settings, peerId });
    this.#choker = new Choker({ random: ports.random, uploadSlots: settings.uploadSlots });
    this.extensions = this.#makeExtensions();
  }

  get pieceCount(): number | undefined {
    return this.#torrent.info()?.geometry.pieceCount;
  }

  nowMs(): number {
    return this.#host.ports.clock.nowMs();
  }

  transfer(): Transfer | undefined {
    return this.#torrent.transfer();
  }

  settle(): void {
    this.#torrent.settle();
  }

  accepts(infohash: Uint8Array): boolean {
    return this.#infohashes.some((known) => equalBytes(known, infohash));
  }

  answerTo(infohash: Uint8Array, speaksV2: boolean): Uint8Array {
    // The upgrade of BEP 52. Not only allowed: libtorrent, told of us by both swarms of a hybrid meanwhile,
    // hangs up on an answer with v1, and calls again a minute later.
    const last = this.#infohashes.at(-1)!;
    return speaksV2 && this.flags.v2 ? last : infohash;
  }

  dialNext(now: number): boolean {
    const dial = (remote: Endpoint): Peer | undefined =>
      this.#host.dial(remote, this, this.#infohashes[0]!);
    return this.swarm.dialNext(now, dial);
  }

  closeAll(reason: string): void {
    for (const peer of this.swarm.all()) peer.close(reason);
  }

  // ---- What they tell --------------------------------------------------------------------------------

  handleReady(peer: Peer): string | undefined {
    const refusal = this.swarm.refusal(peer);
    if (refusal !== undefined) return refusal;
    if (peer.extended) this.extensions.start(peer);
    const transfer = this.transfer();
    peer.out.possession(transfer && this.#torrent.have(), peer.fast);
    if (transfer) this.#introduce(peer, transfer);
    return undefined;
  }

  handleClosed(peer: Peer, reason: string, byUs: boolean): void {
    this.swarm.handleClosed(peer, byUs, this.nowMs());
    this.transfer()?.download.removePeer(peer);
    this.extensions.gone(peer);
    this.#torrent.hashes()?.gone(peer);
    this.#host.handleDisconnected(peer);
    const { log, faults } = this.#host.ports;
    log.debug("peer closed", { peer: peer.remote.address, reason });
    if (peer.misbehaved) faults?.count("bad-peer", { address: peer.remote.address, why: reason });
    if (this.#choker.gone(peer)) this.#rechoke();
    // A candidate may take the free place; the session's tick sees to that.
    this.settle();
  }

  handleHave(peer: Peer, piece: number): void {
    this.transfer()?.download.handleHave(peer, piece);
    this.#dropIfUseless(peer);
  }

  handlePossession(peer: Peer): void {
    this.transfer()?.download.handlePossession(peer);
    this.#torrent.hashes()?.requestFrom(peer);
    this.#dropIfUseless(peer);
  }

  handleInterest(peer: Peer): void {
    const transfer = this.transfer();
    if (!transfer) return;
    if (peer.peerInterested) {
      if (this.#choker.hasFree) this.#rechoke();
      if (peer.amChoking) this.#grantFast(peer);
    } else if (!peer.amChoking) {
      transfer.choke(peer);
      this.#rechoke();
    }
  }

  handleExtended(peer: Peer, id: number, payload: Uint8Array): void {
    this.extensions.handleExtended(peer, id, payload);
  }

  handleHashRequest(peer: Peer, range: HashRange): void {
    // BEP 52 wants none that long. libtorrent 2.0.8 asks for all leaves of a piece at once; without an answer it
    // does without, a reject it may not survive.
    if (range.length > BASE_HASHES_MAX) {
      peer.countBadRequest();
      return;
    }
    if (this.transfer()?.leaves.handleRequest(peer, range) === true) return;
    peer.out.frame(this.#torrent.hashes()?.answer(range) ?? encodeHashReject(range));
  }

  handleHashes(peer: Peer, range: HashRange, hashes: Uint8Array): void {
    this.#torrent.hashes()?.handleHashes(peer, range, hashes);
  }

  handleHashReject(peer: Peer, range: HashRange): void {
    this.#torrent.hashes()?.handleReject(peer, range);
  }

  handleOutput(peer: Peer): void {
    this.swarm.handleOutput(peer);
  }

  handleDownloaded(bytes: number): void {
    this.#torrent.handleDownloaded(bytes);
  }

  // ---- What they are told ----------------------------------------------------------------------------

  /** The info dictionary came by magnet link: what they said of pieces can be understood. */
  setPieceCount(pieceCount: number): void {
    for (const peer of this.swarm.all()) {
      try {
        if (peer.isOpen) peer.setPieceCount(pieceCount);
      } catch (error) {
        if (!(error instanceof WireError)) throw error;
        peer.close(error.message);
      }
    }
  }

  /** The files are open. Those who met us before know nothing of what we have. */
  introduceAll(transfer: Transfer, have: Bitfield): void {
    for (const peer of this.swarm.open()) {
      for (const piece of have.indexes()) peer.out.have(piece);
      this.#introduce(peer, transfer);
    }
  }

  /** Who has the piece need not be told. */
  tellHave(piece: number): void {
    for (const peer of this.swarm.open()) {
      if (peer.pieces?.has(piece) !== true) peer.out.have(piece);
      else this.transfer()!.download.refreshInterest(peer);
    }
  }

  tellLost(piece: number): void {
    for (const peer of this.swarm.open()) {
      this.extensions.sendDontHave(peer, piece);
      this.transfer()!.download.refreshInterest(peer);
    }
  }

  dropUseless(): void {
    for (const peer of this.swarm.all()) if (peer.isOpen) this.#dropIfUseless(peer);
  }

  ban(address: string, reason: string): void {
    const { log, faults } = this.#host.ports;
    log.debug("peer banned", { address, reason });
    faults?.count("bad-peer", { address, why: reason });
    this.swarm.ban(address, reason);
    this.#torrent.handleBanned(address, reason);
  }

  /** Time-outs, and choking when it is time for that. */
  tick(now: number): void {
    this.swarm.tick(now);
    if (!this.#torrent.info()) this.extensions.requestMetadata();
    if (!this.transfer()) return;
    this.#torrent.hashes()!.tick(this.swarm.open());
    if (this.#choker.due(now)) this.#rechoke();
  }

  #introduce(peer: Peer, transfer: Transfer): void {
    transfer.download.addPeer(peer);
    this.#torrent.hashes()!.requestFrom(peer);
    this.#dropIfUseless(peer);
  }

  /** Who has hardly anything begins sooner, and has something to give sooner (BEP 6). */
  #grantFast(peer: Peer): void {
    const { pieceCount } = this;
    const isNewcomer = peer.fast && (peer.pieces?.count ?? 0) < ALLOWED_FAST_COUNT;
    if (!isNewcomer || pieceCount === undefined || peer.grants.count > 0) return;
    const { address } = peer.remote;
    const infohash = this.#infohashes[0]!;
    this.transfer()?.upload.grant(peer, allowedFastSet({ address, infohash, pieceCount }));
  }

  #rechoke(): void {
    const transfer = this.transfer();
    if (!transfer || this.#torrent.isStopped()) return;
    const { choke, unchoke } = this.#choker.decide({
      peers: this.swarm.open(),
      seeding: this.#torrent.isComplete(),
      limited: transfer.isUploadLimited,
      now: this.nowMs(),
    });
    for (const peer of choke) transfer.choke(peer);
    for (const peer of unchoke) peer.setChoking(false);
  }

  /** A seed and a seed have nothing to say to each other. */
  #dropIfUseless(peer: Peer): void {
    if (!this.#torrent.isComplete() || !this.#torrent.hashes()!.complete) return;
    if (peer.isSeed || peer.uploadOnly) peer.close("both sides have everything");
  }

  #makeExtensions(): ExtensionExchange {
    const { settings } = this.#host;
    return new ExtensionExchange({
      infohashes: this.#torrent.infohashes,
      metadataBytesMax: settings.metadataBytesMax,
      requestQueueMax: settings.requestQueueMax,
      listenPort: () => this.#host.port,
      pieceCount: () => this.pieceCount,
      info: () => {
        const info = this.#torrent.info();
        return info && { bytes: info.infoBytes, private: info.private };
      },
      nowMs: () => this.nowMs(),
      events: {
        handleListening: (peer) => this.swarm.handleListening(peer, this.nowMs()),
        handleMetadata: (infoBytes) => this.#torrent.handleMetadata(infoBytes),
        handleDontHave: (peer, piece) => {
          if (peer.pieces?.delete(piece) === true) {
            this.transfer()?.download.handleDontHave(peer, piece);
          }
        },
        handleMetadataLiar: (peer) => this.ban(peer.remote.address, "sent a false info dictionary"),
      },
    });
  }
}
