import { Bitfield } from "../../base/bitfield.ts";
import { invariant } from "../../base/errors.ts";
import { BLOCK_BYTES, type Geometry } from "../../base/geometry.ts";
import type { TorrentInfo } from "../../metainfo/metainfo.ts";
import type { Content, DiskFailure, PieceVerdict } from "../../ports/content.ts";
import { type HashExchange, isInconsistent, type PieceRun } from "../exchange/hash-exchange.ts";
import type { Peer } from "../connection/connection.ts";
import type { PeerKey } from "../picker/peer-key.ts";
import { PRIORITY_NORMAL } from "../picker/piece-ledger.ts";
import { PiecePicker } from "../picker/piece-picker.ts";
import { PieceStore } from "../storage/piece-store.ts";
import type { RateLimit } from "../sharing/rate-limit.ts";
import type { EnginePorts, ResumeState } from "../session-contract.ts";
import {
  adjustDepth,
  DEPTH_MIN,
  growDepth,
  isLate,
  lateness,
  requestDepth,
} from "./request-pace.ts";
import { SmartBan } from "./smart-ban.ts";
import { WantedPieces } from "./wanted-pieces.ts";

/** A peer gets pieces of its own when it delivers one within this (sheet 12). */
const WHOLE_PIECE_MS = 20_000;
/**
 * Bytes of pieces that are being judged and written before no new piece is opened: enough to keep the
 * workers busy, and little enough to stay in the processor's cache until they come to it.
 */
const JUDGING_BYTES_MAX = 8 * 1024 * 1024;
/** Blocks asked for in one go. */
const PICK_MAX = 512;

export interface DownloadEvents {
  nowMs(): number;
  openPeers(): Iterable<Peer>;
  /** A burst of events is over. */
  settle(): void;
  /** A piece is judged intact and on disk. */
  handlePiece(piece: number): void;
  handleDiskFailure(failure: DiskFailure): void;
  /** This address sent a block that differs from the one that was right. */
  handleLiar(address: string, reason: string): void;
  /** No bytes can ever match both hashes of this piece: the torrent is at fault, no peer. */
  handleInconsistent(piece: number, fault: "v1" | "v2"): void;
  /** Somebody waits for the rate limit. */
  handleStarved(): void;
}

export interface DownloaderOptions {
  readonly info: TorrentInfo;
  readonly content: Content;
  readonly ports: EnginePorts;
  readonly have: Bitfield;
  readonly judged: Bitfield;
  readonly hashes: HashExchange;
  readonly limit: RateLimit;
  readonly requestQueueMax: number;
  readonly events: DownloadEvents;
}

/**
 * Gets the wanted pieces of one torrent: keeps every unchoked peer busy with as many requests as its
 * rate deserves, puts blocks together, has pieces judged, and finds out who lied.
 */
export class Downloader {
  readonly #options: DownloaderOptions;
  readonly #geometry: Geometry;
  readonly #picker: PiecePicker;
  readonly #store: PieceStore;
  readonly #smartBan = new SmartBan();
  readonly #peers: (Peer | undefined)[] = [];
  readonly #picked = { pieces: new Int32Array(PICK_MAX), blocks: new Int32Array(PICK_MAX) };
  /** Peers that could be asked for more if there were memory, or rate. */
  readonly #starvedOfMemory = new Set<Peer>();
  readonly #starvedOfRate = new Set<Peer>();
  #memoryShort = false;
  #roomCame = false;
  #judgingBytes = 0;
  #paused = false;
  readonly #wanted: WantedPieces;

  constructor(options: DownloaderOptions) {
    this.#options = options;
    this.#geometry = options.info.geometry;
    this.#picker = new PiecePicker(this.#geometry, options.ports.random);
    this.#store = new PieceStore({
      geometry: this.#geometry,
      content: options.content,
      slabs: options.ports.receiveSlabs,
      onRoom: () => (this.#roomCame = true),
      onWriteFailure: (piece, failure) => {
        this.#picker.discard(piece);
        options.events.handleDiskFailure(failure);
        options.events.settle();
      },
    });
    this.#picker.markHave(options.have);
    const { have, hashes } = options;
    this.#wanted = new WantedPieces({ geometry: this.#geometry, have, hashes });
    this.#picker.setPriorities(this.#wanted.priorities());
    for (const piece of Array.from(this.#picker.receivedPieces())) {
      this.#store.restore(piece, new Bitfield(0));
      this.#judge(piece);
    }
  }

  get complete(): boolean {
    return this.#picker.complete && !this.#wanted.lacksHashes;
  }

  get wantedBytes(): number {
    return this.#wanted.wantedBytes;
  }

  get doneBytes(): number {
    return this.#wanted.doneBytes;
  }

  /** Bytes missing of everything, wanted or not. */
  get left(): number {
    return this.#wanted.left;
  }

  get rarestCopies(): number {
    return this.#picker.rarestCopies();
  }

  get isStarvedOfRate(): boolean {
    return this.#starvedOfRate.size > 0;
  }

  // ---- What is wanted --------------------------------------------------------------------------------

  setWantedFiles(files: readonly boolean[]): void {
    this.#wanted.setFiles(files);
    this.#applyWanted();
  }

  wantsFile(index: number): boolean {
    return this.#wanted.wantsFile(index);
  }

  /** The expected hashes of these pieces became known: now they can be asked for. O(these pieces). */
  handleHashesKnown(runs: readonly PieceRun[]): void {
    for (const { first, end } of runs) {
      for (let piece = first; piece < end; piece += 1) {
        if (this.#wanted.handleKnown(piece)) this.#picker.setPriority(piece, PRIORITY_NORMAL);
      }
    }
    for (const peer of this.#options.events.openPeers()) this.refreshInterest(peer);
  }

  /** Unfinished blocks that are on disk since the last run. */
  restore(piece: number, blocks: Bitfield): void {
    if (piece >= this.#geometry.pieceCount || blocks.length !== this.#geometry.blockCount(piece))
      return;
    if (blocks.count === 0 || this.#options.have.has(piece)) return;
    this.#store.restore(piece, blocks);
    if (this.#picker.restore(piece, blocks)) this.#judge(piece);
  }

  /** Nothing is asked for until `resume`: the disk refuses. */
  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    for (const peer of this.#options.events.openPeers()) this.refill(peer);
  }

  // ---- Peers -------------------------------------------------------------------------------------------

  addPeer(peer: Peer): void {
    peer.key = this.#picker.peerJoined(this.#smartBan.senderOf(peer.remote.address));
    this.#peers[peer.key] = peer;
    if (peer.pieces && peer.pieces.count > 0) this.handlePossession(peer);
  }

  removePeer(peer: Peer): void {
    this.#starvedOfMemory.delete(peer);
    this.#starvedOfRate.delete(peer);
    if (peer.key === -1) return;
    this.#picker.peerGone(peer.key);
    this.#peers[peer.key] = undefined;
    peer.key = -1;
    // What it owed us can be asked of others now.
    for (const other of this.#options.events.openPeers()) {
      if (other.window.count < DEPTH_MIN) this.refill(other);
    }
  }

  handlePossession(peer: Peer): void {
    if (peer.key === -1) return;
    if (peer.isSeed) this.#picker.peerHasAll(peer.key);
    else this.#picker.peerHas(peer.key, peer.pieces!);
    this.refreshInterest(peer);
  }

  handleHave(peer: Peer, piece: number): void {
    if (peer.key === -1) return;
    this.#picker.peerHave(peer.key, piece);
    if (!this.#options.have.has(piece)) this.refreshInterest(peer);
  }

  handleDontHave(peer: Peer, piece: number): void {
    if (peer.key === -1) return;
    this.#picker.peerDontHave(peer.key, piece);
    this.refreshInterest(peer);
  }

  handleSuggested(peer: Peer, piece: number): void {
    if (peer.key !== -1) this.#picker.peerSuggests(peer.key, piece);
  }

  handleAllowedFast(peer: Peer, piece: number): void {
    if (peer.key === -1) return;
    this.#picker.peerAllowsFast(peer.key, piece);
    this.refill(peer);
  }

  handleChoked(peer: Peer): void {
    if (peer.key === -1) return;
    // With the fast extension a reject answers each request (BEP 6); without it they are void.
    if (peer.fast) {
      this.#picker.choked(peer.key);
      return;
    }
    // Blocks that crossed the choke, or that the peer sends all the same, are no fault of its (WIR-8).
    peer.conduct.excuseBlocks(peer.window.count);
    peer.window.drain(() => undefined);
    this.#picker.release(peer.key);
  }

  /** Says interested or not, as it is at the moment, and asks for blocks if there is something to ask. */
  refreshInterest(peer: Peer): void {
    if (peer.key === -1) return;
    const interesting = this.#picker.isInteresting(peer.key);
    peer.setInterested(interesting);
    if (interesting && peer.window.count === 0) this.refill(peer);
  }

  // ---- Requests ----------------------------------------------------------------------------------------

  /** Asks the peer for as many blocks as it may owe us. */
  refill(peer: Peer): void {
    if (this.#paused || peer.key === -1 || !peer.isOpen) return;
    if (peer.peerChoking && peer.allowedFast.size === 0) return;
    const depth = this.#depth(peer);
    // Asking in batches: half a window at a time costs one write, not one for each block.
    if (peer.window.count * 2 > depth) return;
    const now = this.#options.events.nowMs();
    const allowed = Math.floor(this.#options.limit.available(now) / BLOCK_BYTES);
    const wanted = Math.min(depth - peer.window.count, peer.window.room, PICK_MAX);
    if (wanted <= 0) return;
    if (allowed <= 0) {
      this.#starvedOfRate.add(peer);
      this.#options.events.handleStarved();
      return;
    }
    this.#memoryShort = false;
    const count = this.#picker.pick(peer.key, Math.min(wanted, allowed), this.#picked, {
      canStart: (piece) => this.#canStart(piece),
      whole:
        (peer.download.bytesPerSecond(now) * WHOLE_PIECE_MS) / 1000 >= this.#geometry.pieceLength,
      snubbed: peer.snubbed,
      choked: peer.peerChoking,
    });
    if (this.#memoryShort) this.#starvedOfMemory.add(peer);
    if (count > 0) this.#ask(peer, count, now);
  }

  #ask(peer: Peer, count: number, now: number): void {
    if (peer.window.count === 0) peer.lastBlockAtMs = now;
    let bytes = 0;
    for (let i = 0; i < count; i += 1) {
      const piece = this.#picked.pieces[i]!;
      const block = this.#picked.blocks[i]!;
      const length = this.#geometry.blockSize(piece, block);
      peer.window.add(piece, block);
      peer.out.request(piece, block * BLOCK_BYTES, length);
      bytes += length;
    }
    this.#options.limit.take(bytes, now);
  }

  #canStart(piece: number): boolean {
    if (this.#judgingBytes > JUDGING_BYTES_MAX) {
      this.#memoryShort = true;
      return false;
    }
    if (this.#store.open(piece)) return true;
    this.#memoryShort = true;
    this.#makeRoom();
    return false;
  }

  /** Sends the piece that was left alone longest to disk; its memory comes back when it is written. */
  #makeRoom(): void {
    for (const idle of this.#picker.idlePieces()) {
      // Those that are on disk already have no memory to give.
      if (!this.#store.spill(idle, this.#picker.receivedBlocks(idle)!)) continue;
      this.#picker.park(idle);
      return;
    }
  }

  #depth(peer: Peer): number {
    const isProven = this.#picker.isProven(peer.key as PeerKey);
    return requestDepth(peer, isProven, this.#options.requestQueueMax);
  }

  /** Called when a burst of events is over: memory may have come back. */
  refillStarved(): void {
    if (!this.#roomCame) return;
    this.#roomCame = false;
    const starved = Array.from(this.#starvedOfMemory);
    this.#starvedOfMemory.clear();
    for (const peer of starved) this.refill(peer);
  }

  /** The rate limit allows more. */
  handleAllowance(): void {
    const starved = Array.from(this.#starvedOfRate);
    this.#starvedOfRate.clear();
    for (const peer of starved) this.refill(peer);
  }

  // ---- Blocks ------------------------------------------------------------------------------------------

  beginBlock(peer: Peer, piece: number, block: number, length: number): Uint8Array | undefined {
    if (peer.key === -1 || length !== this.#geometry.blockSize(piece, block)) return undefined;
    if (!this.#picker.begin(peer.key, piece, block)) return undefined;
    const target = this.#store.target(piece, block, length);
    if (!target) this.#picker.rejected(peer.key, piece, block);
    peer.target = target;
    return target?.bytes;
  }

  endBlock(peer: Peer, piece: number, block: number): void {
    const { target } = peer;
    invariant(target && peer.key !== -1, "a block that ends has begun");
    peer.target = undefined;
    const receipt = this.#picker.received(peer.key, piece, block);
    if (receipt.kind !== "accepted") {
      this.#store.cancelTarget(target);
    } else {
      this.#store.arrived(piece, block, target);
      if (receipt.alsoAsked !== undefined) this.#cancel(receipt.alsoAsked, piece, block);
      if (receipt.pieceComplete) this.#judge(piece);
    }
    growDepth(peer, target.bytes.length, this.#options.requestQueueMax);
    this.refill(peer);
  }

  dropBlock(peer: Peer, piece: number, block: number): void {
    const { target } = peer;
    peer.target = undefined;
    if (target) this.#store.cancelTarget(target);
    if (peer.key !== -1) this.#picker.rejected(peer.key, piece, block);
  }

  /** Not asked again at once: who rejects everything would keep us busy (WIR-15). The tick asks. */
  handleRejected(peer: Peer, piece: number, block: number): void {
    if (peer.key !== -1) this.#picker.rejected(peer.key, piece, block);
  }

  #cancel(key: PeerKey, piece: number, block: number): void {
    const peer = this.#peers[key];
    if (!peer) return;
    peer.out.cancel(piece, block * BLOCK_BYTES, this.#geometry.blockSize(piece, block));
    // With the fast extension the answer, block or reject, is still to come.
    if (!peer.fast && peer.window.take(piece, block)) peer.conduct.excuseBlocks(1);
    this.refill(peer);
  }

  // ---- Pieces ------------------------------------------------------------------------------------------

  #judge(piece: number): void {
    const digests = this.#smartBan.watches(piece);
    const bytes = this.#geometry.requestSize(piece);
    this.#judgingBytes += bytes;
    // Asked before the worker looks: a hash that becomes known meanwhile may not have been judged by.
    const twofold = this.#options.hashes.isTwofold(piece);
    this.#store.judge(piece, { digests }, (verdict) => {
      this.#judgingBytes -= bytes;
      this.#roomCame = true;
      if (twofold && isInconsistent(verdict)) {
        this.#picker.discard(piece);
        this.#options.events.handleInconsistent(piece, verdict.fault);
      } else {
        this.#handleVerdict(piece, verdict);
      }
      this.#options.events.settle();
    });
  }

  #handleVerdict(piece: number, verdict: PieceVerdict): void {
    const { have, judged, events } = this.#options;
    if (verdict.kind === "failure") {
      this.#picker.discard(piece);
      events.handleDiskFailure(verdict);
      return;
    }
    const senders = this.#picker.senders(piece) ?? new Int32Array(0);
    if (verdict.kind === "corrupt") {
      if (verdict.digests) this.#smartBan.handleCorrupt(piece, verdict.digests, senders);
      this.#picker.verdict(piece, false);
      for (const peer of events.openPeers()) if (peer.window.count === 0) this.refill(peer);
      return;
    }
    const liars = this.#smartBan.handleIntact(piece, verdict.digests);
    this.#picker.verdict(piece, true);
    have.add(piece);
    judged.add(piece);
    this.#wanted.handleHad(piece);
    for (const address of liars)
      events.handleLiar(address, "sent a block that was not the right one");
    events.handlePiece(piece);
  }

  /** A piece that was had is damaged on disk. */
  handleLost(piece: number): void {
    this.#picker.lost(piece);
    this.#wanted.handleLost(piece);
  }

  /** Pieces turned out to be on disk and intact. */
  handleFound(pieces: Bitfield): void {
    const { have, judged, events } = this.#options;
    const found = new Bitfield(have.length);
    for (const piece of pieces.indexes()) {
      const state = this.#picker.state(piece);
      if (state === "have") judged.add(piece);
      // One that is being fetched will be judged when it is whole.
      if (state === "wanted" || state === "unwanted") found.add(piece);
    }
    if (found.count === 0) return;
    for (const piece of found.indexes()) {
      have.add(piece);
      judged.add(piece);
    }
    this.#picker.markHave(found);
    this.#wanted.recount();
    for (const piece of found.indexes()) events.handlePiece(piece);
  }

  /** Blocks of an unfinished piece that were written are not to be relied on any more. */
  forgetWritten(piece: number): void {
    if (this.#picker.state(piece) !== "started") return;
    if ((this.#store.written(piece)?.count ?? 0) === 0) return;
    this.#picker.discard(piece);
    this.#store.discard(piece);
  }

  /** What a resume may claim of unfinished pieces. */
  partial(): ResumeState["partial"] {
    const partial: { piece: number; blocks: Bitfield }[] = [];
    for (const piece of this.#picker.startedPieces()) {
      const written = this.#store.written(piece);
      const received = this.#picker.receivedBlocks(piece);
      if (!written || !received) continue;
      const blocks = new Bitfield(received.length);
      for (const block of received.indexes()) if (written.has(block)) blocks.add(block);
      if (blocks.count > 0) partial.push({ piece, blocks });
    }
    return partial;
  }

  /** Sends all unfinished pieces to disk, and waits for those being judged; no peer may be left. */
  async spillAll(): Promise<void> {
    for (const piece of Array.from(this.#picker.startedPieces())) {
      this.#store.spill(piece, this.#picker.receivedBlocks(piece)!);
    }
    await new Promise<void>((done) => this.#store.whenIdle(done));
  }

  // ---- Time --------------------------------------------------------------------------------------------

  tick(now: number): void {
    for (const peer of this.#options.events.openPeers()) {
      if (peer.key === -1) continue;
      if (peer.window.count > 0 || peer.isBlockArriving) this.#tickOwing(peer, now);
      adjustDepth(peer, now);
      this.refill(peer);
    }
  }

  #tickOwing(peer: Peer, now: number): void {
    if (isLate(peer, now)) {
      peer.snubbed = true;
      this.#picker.snub(peer.key as PeerKey);
      for (const other of this.#options.events.openPeers()) if (other !== peer) this.refill(other);
    }
    const reason = lateness(peer, now);
    if (reason !== undefined) peer.close(reason);
  }

  #applyWanted(): void {
    this.#picker.setPriorities(this.#wanted.priorities());
    for (const peer of this.#options.events.openPeers()) this.refreshInterest(peer);
  }
}
