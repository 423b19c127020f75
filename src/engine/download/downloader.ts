import { Bitfield } from "../../base/bitfield.ts";
import { invariant } from "../../base/errors.ts";
import type { Geometry } from "../../base/geometry.ts";
import type { PieceVerdict } from "../../ports/content.ts";
import type { PeerKey } from "../picker/peer-key.ts";
import { PiecePicker } from "../picker/piece-picker.ts";
import { isInconsistent } from "../storage/inconsistent.ts";
import { PieceStore } from "../storage/piece-store.ts";
import { OutputQueue } from "../sharing/output-queue.ts";
import type { FetchOrder } from "../fetch-order.ts";
import type { ResumeState } from "../session-contract.ts";
import type { BlockSource } from "./block-source.ts";
import { PARTIAL, type DownloadOutput } from "./download-output.ts";
import { DownloadPeer } from "./download-peer.ts";
import type { DownloaderOptions } from "./downloader-options.ts";
import { BlockRequests } from "./block-requests.ts";
import { partialClaims } from "./partial-claims.ts";
import { DEPTH_MIN, growDepth, isLate, lateness, noteAnswer } from "./request-pace.ts";
import { SmartBan } from "./smart-ban.ts";
import { UrgentRequests } from "./urgent-requests.ts";
import { WantedPieces } from "./wanted-pieces.ts";

/** Allowed-fast pieces that we remember for one peer; BEP 6 proposes 10. */
const ALLOWED_FAST_MAX = 64;

/**
 * Downloads the wanted pieces of one torrent, or of anything else that has a geometry and hashes: keeps every source of
 * blocks busy with as many requests as its rate deserves, assembles blocks, has pieces judged, and finds the peers that
 * lied.
 */
export class Downloader {
  /** The pieces that readers need soon. */
  readonly urgent: UrgentRequests;
  readonly #options: DownloaderOptions;
  readonly #geometry: Geometry;
  readonly #picker: PiecePicker;
  readonly #store: PieceStore;
  readonly #smartBan = new SmartBan();
  /** By key. */
  readonly #peers: (DownloadPeer | undefined)[] = [];
  /** In the order in which they joined. */
  readonly #joined = new Set<DownloadPeer>();
  readonly #requests: BlockRequests;
  readonly #wanted: WantedPieces;
  readonly #outputs = new OutputQueue<DownloadOutput>();
  readonly #onRoom = (peer: DownloadPeer): void => this.refill(peer);

  constructor(options: DownloaderOptions) {
    this.#options = options;
    this.#geometry = options.geometry;
    this.#picker = new PiecePicker(this.#geometry, options.random);
    this.#store = new PieceStore({
      geometry: this.#geometry,
      bytes: options.bytes,
      judge: options.judge,
      slabs: options.slabs,
      memory: options.memory,
    });
    this.#requests = new BlockRequests({
      geometry: this.#geometry,
      picker: this.#picker,
      store: this.#store,
      limit: options.limit,
      requestQueueMax: options.requestQueueMax,
      clock: options.clock,
      memory: options.memory,
    });
    this.#picker.markHave(options.have);
    const { have, hashes } = options;
    this.#wanted = new WantedPieces({ geometry: this.#geometry, have, hashes });
    this.#picker.setPriorities(this.#wanted.priorities());
    this.urgent = new UrgentRequests({
      picker: this.#picker,
      store: this.#store,
      wanted: this.#wanted,
      requests: this.#requests,
      peers: this.#joined,
      refreshInterest: (peer) => this.refreshInterest(peer),
    });
    for (const piece of Array.from(this.#picker.receivedPieces())) {
      this.#store.restore(piece, new Bitfield(0));
      this.#judge(piece);
    }
  }

  /** Call this when a burst is over, until it returns `undefined`. */
  nextOutput(): DownloadOutput | undefined {
    const refused = this.#store.nextRefused();
    if (refused) {
      this.#picker.discard(refused.piece);
      return { kind: "refused", failure: refused.failure };
    }
    return this.#outputs.next() ?? (this.#store.takeClaimsChanged() ? PARTIAL : undefined);
  }

  /** Called when a burst is over: asks the peers that lacked memory, if some was returned. */
  settle(): void {
    this.#requests.settle();
  }

  get complete(): boolean {
    return this.#picker.complete && !this.#wanted.lacksHashes;
  }

  get progress(): Pick<WantedPieces, "wantedBytes" | "doneBytes" | "left"> {
    return this.#wanted;
  }

  get rarestCopies(): number {
    return this.#picker.rarestCopies();
  }

  // ---- What is wanted --------------------------------------------------------------------------------

  setWantedFiles(files: readonly boolean[]): void {
    this.#wanted.setFiles(files);
    this.#applyWanted();
  }

  setOrder(order: FetchOrder): void {
    this.#wanted.setOrder(order);
    this.#picker.setSequential(order.sequential === true);
    this.#applyWanted();
  }

  wantsFile(index: number): boolean {
    return this.#wanted.wantsFile(index);
  }

  /** The expected hashes of these pieces became known: now they can be requested. O(these pieces). */
  handleHashesKnown(runs: readonly { readonly first: number; readonly end: number }[]): void {
    for (const { first, end } of runs) {
      for (let piece = first; piece < end; piece += 1) {
        if (!this.#wanted.handleKnown(piece)) continue;
        this.#picker.setPriority(piece, this.#wanted.priority(piece));
      }
    }
    for (const peer of this.#joined) this.refreshInterest(peer);
  }

  /** Unfinished blocks that are on disk from the last run. */
  restore(piece: number, blocks: Bitfield): void {
    if (piece >= this.#geometry.pieceCount || blocks.length !== this.#geometry.blockCount(piece))
      return;
    if (blocks.count === 0 || this.#options.have.has(piece)) return;
    this.#store.restore(piece, blocks);
    if (this.#picker.restore(piece, blocks)) this.#judge(piece);
  }

  /** Stops all requests until `resume`: the disk refuses. */
  pause(): void {
    this.#requests.pause();
  }

  resume(): void {
    this.#requests.resume();
    for (const peer of this.#joined) this.refill(peer);
  }

  // ---- Peers -------------------------------------------------------------------------------------------

  /**
   * From now on blocks can be requested from the source.
   *
   * @param known - What it announced before: its pieces, whether it chokes us, how many requests it queues.
   */
  join(
    source: BlockSource,
    known: {
      readonly pieces: Bitfield | undefined;
      readonly isChoking: boolean;
      readonly queueLimit: number | undefined;
    },
  ): Readonly<DownloadPeer> {
    const isServer = source.runBlocksMax > 1;
    const key = this.#picker.peerJoined(this.#smartBan.senderOf(source.sender), isServer);
    const peer = new DownloadPeer(source, key, this.#options.clock.nowMs(), this.#onRoom);
    peer.isChoking = known.isChoking;
    if (known.queueLimit !== undefined) peer.queueLimit = known.queueLimit;
    this.#peers[key] = peer;
    this.#joined.add(peer);
    if (known.pieces && known.pieces.count > 0) this.handlePossession(peer, known.pieces);
    return peer;
  }

  /** The source has ended. */
  leave(peer: DownloadPeer): void {
    this.#requests.forget(peer);
    if (peer.key === -1) return;
    this.#dropBlock(peer);
    this.#picker.peerGone(peer.key);
    this.#peers[peer.key] = undefined;
    this.#joined.delete(peer);
    peer.key = -1;
    peer.source.window.leave(peer.lane);
    // The blocks that it owed us can be requested from others now.
    for (const other of this.#joined) {
      if (other.owed < DEPTH_MIN) this.refill(other);
    }
  }

  /** The peer announces how many requests it queues (BEP 10 `reqq`). */
  setQueueLimit(peer: DownloadPeer, queueLimit: number): void {
    peer.queueLimit = queueLimit;
  }

  handlePossession(peer: DownloadPeer, pieces: Bitfield): void {
    if (peer.key === -1) return;
    if (pieces.full && pieces.length > 0) this.#picker.peerHasAll(peer.key);
    else this.#picker.peerHas(peer.key, pieces);
    this.refreshInterest(peer);
  }

  handleHave(peer: DownloadPeer, piece: number): void {
    if (peer.key === -1) return;
    this.#picker.peerHave(peer.key, piece);
    if (!this.#options.have.has(piece)) this.refreshInterest(peer);
  }

  handleDontHave(peer: DownloadPeer, piece: number): void {
    if (peer.key === -1) return;
    this.#picker.peerDontHave(peer.key, piece);
    this.refreshInterest(peer);
  }

  handleSuggested(peer: DownloadPeer, piece: number): void {
    if (peer.key !== -1) this.#picker.peerSuggests(peer.key, piece);
  }

  handleAllowedFast(peer: DownloadPeer, piece: number): void {
    if (peer.key === -1 || peer.allowedFast.size >= ALLOWED_FAST_MAX) return;
    peer.allowedFast.add(piece);
    this.#picker.peerAllowsFast(peer.key, piece);
    this.refill(peer);
  }

  /**
   * The peer chokes us.
   *
   * @param requests - "answered": a reject answers each request (BEP 6). "forgotten": they are void.
   */
  handleChoked(peer: DownloadPeer, requests: "answered" | "forgotten"): void {
    peer.isChoking = true;
    if (peer.key === -1) return;
    if (requests === "answered") {
      this.#picker.choked(peer.key);
      return;
    }
    peer.source.window.drain(peer.lane);
    this.#picker.release(peer.key);
  }

  handleUnchoked(peer: DownloadPeer): void {
    peer.isChoking = false;
    this.refill(peer);
  }

  /** Sends interested or not interested, as it applies now, and requests blocks if there are any to request. */
  refreshInterest(peer: DownloadPeer): void {
    if (peer.key === -1) return;
    const interesting = this.#picker.isInteresting(peer.key);
    peer.source.setInterested(interesting);
    if (interesting && peer.owed === 0) this.refill(peer);
  }

  // ---- Requests ----------------------------------------------------------------------------------------

  /** Requests as many blocks from the peer as it may owe us. */
  refill(peer: DownloadPeer): void {
    this.#requests.refill(peer);
  }

  /** It is our turn at the shared memory. @returns Whether peers could be asked for more if there were more memory. */
  handleMemory(): boolean {
    return this.#requests.handleMemory();
  }

  /** The rate limit allows more. @returns Whether peers still wait for it. */
  handleAllowance(now: number): boolean {
    return this.#requests.handleAllowance(now);
  }

  /** Writes an idle, unfinished piece to disk: others wait for its memory. @returns False when no piece is idle. */
  spillIdle(): boolean {
    return this.#requests.spillIdle();
  }

  // ---- Blocks ------------------------------------------------------------------------------------------

  /**
   * A block that we requested from the peer begins to arrive.
   *
   * @returns The destination of its payload, or `undefined` to drop it.
   */
  beginBlock(
    peer: DownloadPeer,
    piece: number,
    block: number,
    length: number,
  ): Uint8Array | undefined {
    if (peer.key === -1 || length !== this.#geometry.blockSize(piece, block)) return undefined;
    if (!this.#picker.begin(peer.key, piece, block)) return undefined;
    const target = this.#store.target(piece, block, length);
    if (!target) {
      this.#picker.rejected(peer.key, piece, block);
      return undefined;
    }
    peer.target = target;
    peer.targetPiece = piece;
    peer.targetBlock = block;
    peer.blockBegunAtMs = peer.source.lastReceivedAtMs;
    if (peer.askedIdleAtMs >= 0) noteAnswer(peer);
    return target.bytes;
  }

  /** Counts a block that arrived, wanted or not. */
  countBlock(peer: DownloadPeer, length: number, now: number): void {
    peer.rate.add(length, now);
    peer.downloaded += length;
    peer.lastBlockAtMs = now;
    peer.isSilent = false;
  }

  /** The block that was arriving is complete. */
  endBlock(peer: DownloadPeer): void {
    const { target, targetPiece: piece, targetBlock: block } = peer;
    invariant(target && peer.key !== -1, "a block that ends has begun");
    peer.target = undefined;
    peer.source.window.take(piece, block, peer.lane);
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
    peer.source.window.wake();
  }

  /** The block that is arriving will not be finished, and the source has not ended. */
  abandonBlock(peer: DownloadPeer): void {
    this.#dropBlock(peer);
    peer.source.window.take(peer.targetPiece, peer.targetBlock, peer.lane);
  }

  #dropBlock(peer: DownloadPeer): void {
    const { target } = peer;
    if (!target) return;
    peer.target = undefined;
    this.#store.cancelTarget(target);
    this.#picker.rejected(peer.key as PeerKey, peer.targetPiece, peer.targetBlock);
  }

  /**
   * The peer will not send a block, or sent it when it was useless. It is not asked again at once: a peer that rejects
   * everything would keep us busy (WIR-15). The tick asks again.
   *
   * @returns False when the block was not requested from it.
   */
  handleRejected(peer: DownloadPeer, piece: number, block: number): boolean {
    if (!peer.source.window.take(piece, block, peer.lane)) return false;
    if (peer.key !== -1) this.#picker.rejected(peer.key, piece, block);
    return true;
  }

  #cancel(key: PeerKey, piece: number, block: number): void {
    const peer = this.#peers[key];
    if (!peer) return;
    const length = this.#geometry.blockSize(piece, block);
    if (peer.source.cancel(piece, block, length) === "forgotten") {
      peer.source.window.take(piece, block, peer.lane);
    }
    this.refill(peer);
  }

  // ---- Pieces ------------------------------------------------------------------------------------------

  #judge(piece: number): void {
    const digests = this.#smartBan.watches(piece);
    const bytes = this.#geometry.requestSize(piece);
    this.#requests.handleJudging(bytes);
    // Checked before the worker looks: a hash that becomes known meanwhile may not have been used.
    const twofold = this.#options.hashes.isTwofold(piece);
    this.#store.judge(piece, { digests }, (verdict) => {
      this.#requests.handleJudged(bytes);
      if (twofold && isInconsistent(verdict)) {
        this.#picker.discard(piece);
        this.#outputs.push({ kind: "contradiction", piece, fault: verdict.fault });
      } else {
        this.#handleVerdict(piece, verdict);
      }
    });
  }

  #handleVerdict(piece: number, verdict: PieceVerdict): void {
    const { have, judged } = this.#options;
    if (verdict.kind === "failure") {
      this.#picker.discard(piece);
      this.#outputs.push({ kind: "refused", failure: verdict });
      return;
    }
    const senders = this.#picker.senders(piece) ?? new Int32Array(0);
    if (verdict.kind === "corrupt") {
      if (verdict.digests) this.#smartBan.handleCorrupt(piece, verdict.digests, senders);
      const alone = this.#smartBan.soleSender(senders);
      if (alone !== undefined) this.#outputs.push({ kind: "spoiled", sender: alone });
      this.#picker.verdict(piece, false);
      for (const peer of this.#joined) if (peer.owed === 0) this.refill(peer);
      return;
    }
    const liars = this.#smartBan.handleIntact(piece, verdict.digests);
    this.#picker.verdict(piece, true);
    have.add(piece);
    judged.add(piece);
    this.#wanted.handleHad(piece);
    const reason = "sent a block that was not the right one";
    for (const sender of liars) this.#outputs.push({ kind: "liar", sender, reason });
    this.#outputs.push({ kind: "piece", piece });
  }

  /** A piece that we had is damaged on disk. */
  handleLost(piece: number): void {
    this.#picker.lost(piece);
    this.#wanted.handleLost(piece);
  }

  /** These pieces turned out to be on disk and intact. */
  handleFound(pieces: Bitfield): void {
    const { have, judged } = this.#options;
    const found = new Bitfield(have.length);
    for (const piece of pieces.indexes()) {
      const state = this.#picker.state(piece);
      if (state === "have") judged.add(piece);
      // A piece that is being fetched is judged when it is complete.
      if (state === "wanted" || state === "unwanted") found.add(piece);
    }
    if (found.count === 0) return;
    for (const piece of found.indexes()) {
      have.add(piece);
      judged.add(piece);
    }
    this.#picker.markHave(found);
    this.#wanted.recount();
    for (const piece of found.indexes()) this.#outputs.push({ kind: "piece", piece });
  }

  /** Blocks of an unfinished piece that were written are no longer reliable. */
  forgetWritten(piece: number): void {
    if (this.#picker.state(piece) !== "started") return;
    if ((this.#store.written(piece)?.count ?? 0) === 0) return;
    this.#picker.discard(piece);
    this.#store.discard(piece);
  }

  /** What a resume may claim of unfinished pieces. */
  partial(): ResumeState["partial"] {
    return partialClaims(this.#picker, this.#store);
  }

  /** Writes all unfinished pieces to disk, and waits for those being judged; no peer may be left. */
  async spillAll(): Promise<void> {
    invariant(this.#joined.size === 0, "nobody sends into pieces that go to disk");
    for (const piece of Array.from(this.#picker.startedPieces())) {
      this.#store.spill(piece, this.#picker.receivedBlocks(piece)!);
    }
    await new Promise<void>((done) => this.#store.whenIdle(done));
  }

  // ---- Time --------------------------------------------------------------------------------------------

  tick(now: number): void {
    for (const peer of this.#joined) {
      if (peer.key === -1) continue;
      if (peer.owed > 0 || peer.target) this.#tickOwing(peer, now);
      this.urgent.adjustDepth(peer, now);
      this.refill(peer);
    }
    this.urgent.tick(now);
  }

  #tickOwing(peer: DownloadPeer, now: number): void {
    if (isLate(peer, now)) {
      peer.snubbed = true;
      this.#picker.snub(peer.key as PeerKey);
      for (const other of this.#joined) if (other !== peer) this.refill(other);
    }
    const reason = lateness(peer, now);
    if (reason !== undefined) peer.source.close(reason);
  }

  #applyWanted(): void {
    this.#picker.setPriorities(this.#wanted.priorities());
    for (const peer of this.#joined) this.refreshInterest(peer);
  }
}
