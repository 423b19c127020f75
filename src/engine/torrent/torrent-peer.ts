import type { Bitfield } from "../../base/bitfield.ts";
import { banKey, type PeerAddress } from "../../base/peer-address.ts";
import { clientName } from "../../base/peer-id.ts";
import { BLOCK_BYTES } from "../../base/geometry.ts";
import type { PieceBounds } from "../../wire/piece-bounds.ts";
import type { HashRange } from "../../wire/wire-sink.ts";
import type { Connection } from "../connection/connection.ts";
import type { ConnectionOwner, ConnectionSink } from "../connection/connection-sink.ts";
import type { BlockSource } from "../download/block-source.ts";
import type { DownloadPeer } from "../download/download-peer.ts";
import { RequestWindow } from "../download/request-window.ts";
import type { ExtensionMember } from "../exchange/added-extensions.ts";
import type { PeerStatus, SourceKind } from "../session-contract.ts";
import { dialledAt, type SwarmMember } from "../swarm/swarm.ts";
import { SwarmPeer } from "../swarm/swarm-peer.ts";
import type { ChokerPeer } from "../upload/choker.ts";
import type { UploadPeer } from "../upload/upload-peer.ts";
import type { TorrentTraffic } from "./torrent-traffic.ts";
import type { Transfer } from "./transfer.ts";

/** The messages of a peer that concern more than the bytes it moves. */
export interface PeerRoutes extends ConnectionOwner {
  readonly bounds: PieceBounds;
  readonly traffic: TorrentTraffic;
  handleReady(peer: TorrentPeer): string | undefined;
  /** The peer requests this much of a piece. @returns Whether it may have it, if we have it. */
  mayServe(peer: TorrentPeer, piece: number, length: number): boolean;
  handleClosed(peer: TorrentPeer, reason: string, byUs: boolean): void;
  handleHave(peer: TorrentPeer, piece: number): void;
  handlePossession(peer: TorrentPeer): void;
  handleInterest(peer: TorrentPeer): void;
  handlePort(peer: TorrentPeer, port: number): void;
  handleExtended(peer: TorrentPeer, extensionId: number, payload: Uint8Array): void;
  handleHashRequest(peer: TorrentPeer, range: HashRange): void;
  handleHashes(peer: TorrentPeer, range: HashRange, hashes: Uint8Array): void;
  handleHashReject(peer: TorrentPeer, range: HashRange): void;
  handleGathered(peer: TorrentPeer): void;
  settle(): void;
}

/** What moves blocks from and to the peer, and the records that it keeps of it. */
interface Moving {
  readonly transfer: Transfer;
  readonly download: Readonly<DownloadPeer>;
  readonly upload: Readonly<UploadPeer>;
}

/**
 * A peer of a torrent: its connection, and side by side the records that swarm, downloader and uploader keep of it.
 * Messages that move bytes go directly to the downloader and the uploader, all others to the torrent.
 */
export class TorrentPeer
  implements ConnectionSink, SwarmMember, ExtensionMember, BlockSource, ChokerPeer
{
  readonly connection: Connection;
  readonly swarm: Readonly<SwarmPeer>;
  readonly window: RequestWindow;
  readonly runBlocksMax = 1;
  readonly numbering = "pieces";
  readonly #torrent: PeerRoutes;
  /** `undefined` until the files are open. */
  #moving: Moving | undefined;
  /** How many requests it says it queues, kept until the files are open. */
  #queueLimit: number | undefined;
  /** It has said where its DHT node is. */
  #saidPort = false;

  /**
   * @param options.begunAtMs - When we dialled it, or when it asked for its torrent.
   * @param options.source - Who named its address.
   */
  constructor(options: {
    readonly connection: Connection;
    readonly torrent: PeerRoutes;
    readonly requestQueueMax: number;
    readonly begunAtMs: number;
    readonly source: SourceKind;
  }) {
    this.connection = options.connection;
    this.#torrent = options.torrent;
    this.swarm = new SwarmPeer(options.begunAtMs, options.source);
    this.window = new RequestWindow(options.requestQueueMax);
  }

  get owner(): ConnectionOwner {
    return this.#torrent;
  }

  get bounds(): PieceBounds {
    return this.#torrent.bounds;
  }

  get reachableAt(): PeerAddress | undefined {
    return dialledAt(this);
  }

  get prefersEncryption(): boolean {
    return this.swarm.prefersEncryption;
  }

  get uploadOnly(): boolean {
    return this.swarm.uploadOnly;
  }

  get isOpen(): boolean {
    return this.connection.isOpen;
  }

  /** The pieces the peer has; `undefined` until the piece count is known. */
  get pieces(): Bitfield | undefined {
    return this.connection.pieces;
  }

  /** `undefined` until the files are open. */
  get download(): Readonly<DownloadPeer> | undefined {
    return this.#moving?.download;
  }

  /** `undefined` until the files are open. */
  get upload(): Readonly<UploadPeer> | undefined {
    return this.#moving?.upload;
  }

  /** The files are open: we may request blocks from the peer and serve it. */
  introduce(transfer: Transfer): void {
    const { connection } = this;
    const upload = transfer.upload.join(connection);
    const download = transfer.download.join(this, {
      pieces: connection.pieces,
      isChoking: connection.peerChoking,
      queueLimit: this.#queueLimit,
    });
    this.#moving = { transfer, download, upload };
  }

  /** The peer announces how many requests it queues (BEP 10 `reqq`). */
  setQueueLimit(queueLimit: number): void {
    this.#queueLimit = queueLimit;
    const moving = this.#moving;
    moving?.transfer.download.setQueueLimit(moving.download, queueLimit);
  }

  /** The peer no longer has a piece (BEP 54). */
  handleDontHave(piece: number): void {
    if (!this.connection.forgetPiece(piece)) return;
    const moving = this.#moving;
    moving?.transfer.download.handleDontHave(moving.download, piece);
  }

  choke(): void {
    if (this.connection.amChoking) return;
    this.connection.setChoking(true);
    const moving = this.#moving;
    moving?.transfer.upload.handleChoked(moving.upload);
  }

  status(now: number): PeerStatus {
    const { connection } = this;
    const { peerId } = connection;
    return {
      remote: connection.remote,
      incoming: connection.incoming,
      source: this.swarm.source,
      encryption: connection.encryption,
      client: this.swarm.clientWords ?? (peerId ? clientName(peerId) : "unknown client"),
      piecesHeld: connection.pieces?.count ?? 0,
      amChoking: connection.amChoking,
      amInterested: connection.amInterested,
      peerChoking: connection.peerChoking,
      peerInterested: connection.peerInterested,
      snubbed: this.snubbed,
      uploaded: this.uploaded,
      downloaded: this.downloaded,
      uploadBytesPerSecond: this.upload?.rate.bytesPerSecond(now) ?? 0,
      downloadBytesPerSecond: this.download?.rate.bytesPerSecond(now) ?? 0,
    };
  }

  // ---- ChokerPeer, SwarmMember ----------------------------------------------------------------------

  get amChoking(): boolean {
    return this.connection.amChoking;
  }

  get peerInterested(): boolean {
    return this.connection.peerInterested;
  }

  get snubbed(): boolean {
    return this.download?.snubbed === true;
  }

  get isHeldBack(): boolean {
    return this.upload?.isHeldBack === true;
  }

  get runsSent(): number {
    return this.connection.out.runsSent;
  }

  get connectedAtMs(): number {
    return this.swarm.connectedAtMs;
  }

  get uploaded(): number {
    return this.upload?.uploaded ?? 0;
  }

  get downloaded(): number {
    return this.download?.downloaded ?? 0;
  }

  isMoving(now: number): boolean {
    return this.bytesPerSecond(now) > 0;
  }

  bytesPerSecond(now: number): number {
    const moving = this.#moving;
    if (!moving) return 0;
    return moving.upload.rate.bytesPerSecond(now) + moving.download.rate.bytesPerSecond(now);
  }

  // ---- BlockSource ------------------------------------------------------------------------------------

  get sender(): string {
    return banKey(this.connection.remote);
  }

  get lastReceivedAtMs(): number {
    return this.connection.lastReceivedAtMs;
  }

  request(piece: number, block: number, _count: number, length: number): void {
    this.connection.out.request(piece, block * BLOCK_BYTES, length);
  }

  cancel(piece: number, block: number, length: number): "answered" | "forgotten" {
    const { connection } = this;
    connection.out.cancel(piece, block * BLOCK_BYTES, length);
    if (connection.fast) return "answered";
    if (this.#owes(piece, block)) connection.excuseBlocks(1);
    return "forgotten";
  }

  setInterested(interested: boolean): void {
    this.connection.setInterested(interested);
  }

  close(reason: string): void {
    this.connection.close(reason);
  }

  // ---- ConnectionSink: blocks ---------------------------------------------------------------------------

  beginBlock(piece: number, begin: number, length: number): Uint8Array | undefined {
    const block = begin / BLOCK_BYTES;
    const moving = this.#moving;
    if (!moving || !Number.isInteger(block) || !this.#owes(piece, block)) {
      this.connection.countUnrequestedBlock();
      return undefined;
    }
    return moving.transfer.download.beginBlock(moving.download, piece, block, length);
  }

  /** We requested the block from the peer, and have not received it. */
  #owes(piece: number, block: number): boolean {
    const { download } = this;
    return download !== undefined && this.window.has(piece, block, download.lane);
  }

  endBlock(piece: number, begin: number, length: number, kept: boolean): void {
    const now = this.connection.lastReceivedAtMs;
    this.#torrent.traffic.countDownloaded(length, now);
    if (!this.#moving) return;
    const { transfer, download } = this.#moving;
    transfer.download.countBlock(download, length, now);
    if (kept) {
      this.connection.countWantedBlock();
      transfer.download.endBlock(download);
      return;
    }
    const block = begin / BLOCK_BYTES;
    if (Number.isInteger(block)) transfer.download.handleRejected(download, piece, block);
  }

  /** We have the piece, and the peer did not know that. */
  showPiece(piece: number): void {
    this.connection.out.have(piece);
  }

  handleRequest(piece: number, begin: number, length: number): void {
    const moving = this.#moving;
    if (!this.#torrent.mayServe(this, piece, length)) {
      this.connection.sendReject(piece, begin, length);
      this.connection.countBadRequest();
    } else if (moving) moving.transfer.upload.handleRequest(moving.upload, piece, begin, length);
    else this.connection.sendReject(piece, begin, length);
  }

  handleCancel(piece: number, begin: number, length: number): void {
    const moving = this.#moving;
    moving?.transfer.upload.handleCancel(moving.upload, piece, begin, length);
  }

  handleReject(piece: number, begin: number, _length: number): void {
    const block = begin / BLOCK_BYTES;
    const moving = this.#moving;
    const asked =
      moving !== undefined &&
      Number.isInteger(block) &&
      moving.transfer.download.handleRejected(moving.download, piece, block);
    // A reject may cross our cancel in the end game, so a few are no fault.
    if (!asked) this.connection.countBadRequest();
  }

  handleSent(): void {
    const moving = this.#moving;
    moving?.transfer.upload.handleTaken(moving.upload);
  }

  // ---- ConnectionSink: flags ----------------------------------------------------------------------------

  handleChoke(choked: boolean): void {
    if (!this.#moving) return;
    const { transfer, download } = this.#moving;
    if (!choked) {
      transfer.download.handleUnchoked(download);
    } else if (this.connection.fast) {
      // A reject answers each request (BEP 6).
      transfer.download.handleChoked(download, "answered");
    } else {
      // Blocks that crossed the choke, or that the peer sends although it chokes us, are no fault (WIR-8).
      this.connection.excuseBlocks(download.owed);
      transfer.download.handleChoked(download, "forgotten");
    }
  }

  handleInterest(): void {
    this.#torrent.handleInterest(this);
  }

  handleSuggest(piece: number): void {
    const moving = this.#moving;
    moving?.transfer.download.handleSuggested(moving.download, piece);
  }

  handleAllowedFast(piece: number): void {
    const moving = this.#moving;
    moving?.transfer.download.handleAllowedFast(moving.download, piece);
  }

  // ---- ConnectionSink: messages for the torrent -----------------------------------------------------------

  handleReady(): string | undefined {
    return this.#torrent.handleReady(this);
  }

  handleClosed(reason: string, byUs: boolean): void {
    this.#torrent.handleClosed(this, reason, byUs);
  }

  handleHave(piece: number): void {
    const moving = this.#moving;
    moving?.transfer.download.handleHave(moving.download, piece);
    this.#torrent.handleHave(this, piece);
  }

  handlePossession(): void {
    const moving = this.#moving;
    moving?.transfer.download.handlePossession(moving.download, this.connection.pieces!);
    this.#torrent.handlePossession(this);
  }

  /** The first one counts; otherwise a peer could have us ask all ports of its machine. */
  handlePort(port: number): void {
    if (this.#saidPort) return;
    this.#saidPort = true;
    this.#torrent.handlePort(this, port);
  }

  handleExtended(extensionId: number, payload: Uint8Array): void {
    this.#torrent.handleExtended(this, extensionId, payload);
  }

  handleHashRequest(range: HashRange): void {
    this.#torrent.handleHashRequest(this, range);
  }

  handleHashes(range: HashRange, hashes: Uint8Array): void {
    this.#torrent.handleHashes(this, range, hashes);
  }

  handleHashReject(range: HashRange): void {
    this.#torrent.handleHashReject(this, range);
  }

  handleGathered(): void {
    this.#torrent.handleGathered(this);
  }

  settle(): void {
    this.#torrent.settle();
  }
}
