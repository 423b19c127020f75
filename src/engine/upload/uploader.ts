import type { Bitfield } from "../../base/bitfield.ts";
import { BLOCK_BYTES, type Geometry } from "../../base/geometry.ts";
import type { Clock } from "../../ports/clock.ts";
import type {
  ByteStore,
  DiskFailure,
  PieceJudge,
  PieceVerdict,
  ReadRun,
  Slab,
  SlabPool,
} from "../../ports/content.ts";
import { PIECE_HEAD_BYTES, writePieceHead } from "../../wire/encode-messages.ts";
import { BLOCK_BYTES_MAX } from "../../wire/message-id.ts";
import type { MemoryShare } from "../sharing/memory-share.ts";
import { OutputQueue } from "../sharing/output-queue.ts";
import type { RateBudget } from "../sharing/rate-share.ts";
import type { RefusedRead } from "./leaf-hashes.ts";
import { type UploadLink, UploadPeer } from "./upload-peer.ts";
import type { BlockRequest } from "./upload-queue.ts";
import { WarmPieces } from "./warm-pieces.ts";

const FRAME_BYTES = PIECE_HEAD_BYTES + BLOCK_BYTES;
/** Sizes of the slabs that blocks are read into, in frames: a fast peer gets half a MiB at once. */
const SLAB_FRAMES = [32, 16, 4, 1] as const;
/** Bytes we may owe a peer at once: about what it takes in a second, within these bounds. */
const OWED_BYTES_MIN = 2 * FRAME_BYTES;
const OWED_BYTES_START = 4 * FRAME_BYTES;
const OWED_BYTES_MAX = 2 * 1024 * 1024;
/** While its rate is unknown: as much as the system accepted for it in the last second, within these bounds. */
const OWED_BYTES_EARLY_MAX = 512 * 1024;
const OWED_MS = 1000;
/** And this part of the memory that a peer may still hold, so that many peers that do not read leave some. */
const OWED_SHARE = 1 / 16;
/** Requests that cross our choke arrive within this time. */
const CHOKE_GRACE_MS = 15_000;
/**
 * How long one peer may use what is scarce while others wait. In short turns all peers would get a little of many
 * pieces, have no whole piece to pass on, and request pieces that others got meanwhile: ten leechers of a hub that is
 * limited to 1 MiB/s take 35 s with turns of 5 s or more, 42 to 48 s with turns of 2 s or less. Eight peers in turn
 * wait 42 s, less than the minute after which many programs close a connection.
 */
const TURN_MS = 6_000;

/** What the uploader tells the torrent. */
export type UploadOutput =
  /** A piece on disk is not intact. @param verdict - Which of its hashes it fails. */
  | { readonly kind: "corrupt"; readonly piece: number; readonly verdict: PieceVerdict }
  /** The disk refused a read or a check. */
  | RefusedRead
  /** A piece that somebody reads was judged, and all other outputs about it were handed out before. */
  | { readonly kind: "judged"; readonly piece: number; readonly failure: DiskFailure | undefined }
  /** Bytes of blocks sent since the last burst. */
  | { readonly kind: "sent"; readonly bytes: number };

/** A piece that is being prepared for serving. */
interface Judging {
  /** Peers that wait for it. */
  readonly peers: Set<UploadPeer>;
  /** And readers, which are notified. */
  isRead: boolean;
  doubted: boolean;
}

export interface UploaderOptions {
  readonly geometry: Geometry;
  readonly bytes: Pick<ByteStore, "read">;
  readonly judge: Pick<PieceJudge, "verify">;
  readonly slabs: SlabPool;
  readonly limit: RateBudget;
  readonly memory: MemoryShare;
  /** Requests that a peer may have open. */
  readonly requestQueueMax: number;
  readonly have: Bitfield;
  /** Pieces that may be served without judging them first; grows as pieces are served. */
  readonly judged: Bitfield;
  readonly clock: Pick<Clock, "nowMs">;
}

/**
 * Answers the requests of one torrent's peers: takes a run of them, reads all their blocks at once into one slab,
 * between the heads of their frames, and hands the slab to the socket as it is. When a piece must be judged before
 * it is served, it is read only once: it is served from the memory it was judged in.
 */
export class Uploader {
  readonly #options: UploaderOptions;
  /** Pieces that are being judged before they are served. */
  readonly #judging = new Map<number, Judging>();
  readonly #warm: WarmPieces;
  #inTurn: UploadPeer | undefined;
  #turnEndsMs = 0;
  /** Peers to serve now: they sent a request, took what we sent, or a piece that they wait for was judged. */
  readonly #toServe: (UploadPeer | undefined)[] = [];
  #toServeCount = 0;
  readonly #outputs = new OutputQueue<UploadOutput>();
  #sentBytes = 0;
  /** Peers that wait for rate or for memory, in turn. */
  readonly #waiting = { rate: new Set<UploadPeer>(), memory: new Set<UploadPeer>() };

  constructor(options: UploaderOptions) {
    this.#options = options;
    const { geometry, slabs, memory } = options;
    this.#warm = new WarmPieces({ geometry, slabs, memory });
  }

  /** Call this when a burst is over, until it returns `undefined`. */
  nextOutput(): UploadOutput | undefined {
    const output = this.#outputs.next();
    if (output || this.#sentBytes === 0) return output;
    const bytes = this.#sentBytes;
    this.#sentBytes = 0;
    return { kind: "sent", bytes };
  }

  /** Called when a burst is over: serves the peers that are listed. */
  settle(): void {
    // The list keeps its memory: a burst that serves one peer allocates nothing for it.
    for (let i = 0; i < this.#toServeCount; i += 1) {
      const peer = this.#toServe[i]!;
      this.#toServe[i] = undefined;
      peer.isToServe = false;
      this.#serve(peer);
    }
    this.#toServeCount = 0;
  }

  /** The peer may ask for blocks from now on. */
  join(link: UploadLink): Readonly<UploadPeer> {
    return new UploadPeer(link, this.#options.requestQueueMax);
  }

  /** A peer requests a block (WIR-5, WIR-6). */
  handleRequest(peer: UploadPeer, piece: number, begin: number, length: number): void {
    this.#serveLater(peer);
    if (peer.link.amChoking && !peer.grants.take(piece, length)) {
      peer.link.sendReject(piece, begin, length);
      // The peer is not to blame for requests that crossed our choke.
      if (this.#options.clock.nowMs() - peer.chokedAtMs > CHOKE_GRACE_MS)
        peer.link.countBadRequest();
      return;
    }
    if (!this.#servable(piece, begin, length)) {
      if (!peer.link.fast && length > BLOCK_BYTES_MAX)
        peer.link.close(`asks for ${length} bytes at once`);
      else peer.link.sendReject(piece, begin, length);
      peer.link.countBadRequest();
      return;
    }
    if (!peer.queue.push(piece, begin, length)) {
      peer.link.sendReject(piece, begin, length);
      return;
    }
    // Requests arrive long before their turn: by then another core has judged the piece.
    if (!this.#options.judged.has(piece)) this.#judge(piece, peer);
  }

  handleCancel(peer: UploadPeer, piece: number, begin: number, length: number): void {
    if (peer.queue.remove(piece, begin, length)) peer.link.sendReject(piece, begin, length);
  }

  /** The peer may fetch these pieces even while it is choked, as far as we have them. */
  grant(peer: UploadPeer, pieces: readonly number[]): void {
    const { geometry, have } = this.#options;
    for (const piece of pieces) {
      if (!have.has(piece)) continue;
      peer.grants.grant(piece, geometry.pieceSize(piece));
      peer.link.out.allowedFast(piece);
    }
  }

  /** We choke the peer: with the fast extension every request gets its answer (BEP 6). */
  handleChoked(peer: UploadPeer): void {
    peer.chokedAtMs = this.#options.clock.nowMs();
    peer.isHeldBack = false;
    peer.queue.removeWhere(({ piece, begin, length }) => {
      if (peer.grants.has(piece)) return false;
      peer.link.sendReject(piece, begin, length);
      return true;
    });
  }

  /** The peer took bytes: there may be room for more. */
  handleTaken(peer: UploadPeer): void {
    this.#serveLater(peer);
  }

  #serveLater(peer: UploadPeer): void {
    if (peer.isToServe) return;
    peer.isToServe = true;
    this.#toServe[this.#toServeCount] = peer;
    this.#toServeCount += 1;
  }

  /** Reads and sends as much as the peer may be owed at the moment. */
  #serve(peer: UploadPeer): void {
    peer.isHeldBack = false;
    while (peer.isOpen && peer.queue.count > 0) {
      const room = this.#owedMax(peer) - peer.owedBytes;
      if (room < FRAME_BYTES && peer.owedBytes > 0) return;
      if (!this.#serveRun(peer, Math.max(room, FRAME_BYTES))) return;
    }
  }

  /** It is our turn to use the shared limits. @returns Whether peers still wait for them. */
  serveWaiting(scarce: "rate" | "memory", now: number): boolean {
    const { limit, memory } = this.#options;
    const waiting = this.#waiting[scarce];
    for (let left = waiting.size; left > 0; left -= 1) {
      const may = scarce === "rate" ? limit.available(now) >= BLOCK_BYTES : memory.mayTry();
      if (!may) break;
      const peer = this.#nextInTurn(waiting, now);
      waiting.delete(peer);
      this.#serve(peer);
    }
    return waiting.size > 0;
  }

  /**
   * Serves the peer in turn until it has everything it requested or its time is over, then the one that has waited
   * longest.
   */
  #nextInTurn(waiting: ReadonlySet<UploadPeer>, now: number): UploadPeer {
    if (!this.#inTurn || !waiting.has(this.#inTurn) || now >= this.#turnEndsMs) {
      [this.#inTurn] = waiting;
      this.#turnEndsMs = now + TURN_MS;
    }
    return this.#inTurn!;
  }

  #wait(scarce: "rate" | "memory", peer: UploadPeer): void {
    this.#waiting[scarce].add(peer);
    peer.isHeldBack = true;
  }

  /** The connection has ended. */
  leave(peer: UploadPeer): void {
    this.#waiting.rate.delete(peer);
    this.#waiting.memory.delete(peer);
    if (this.#inTurn === peer) this.#inTurn = undefined;
  }

  /** Judges a piece that we have for a reader; a `judged` output follows. */
  judge(piece: number): void {
    this.#judge(piece, undefined);
    this.#judging.get(piece)!.isRead = true;
  }

  /** @returns A copy of bytes of a piece that is in memory; `undefined` when it is not. */
  copyWarm(piece: number, begin: number, length: number): Uint8Array | undefined {
    return this.#warm.copy(piece, begin, length);
  }

  /** A piece that is being judged may have been read before it changed: it is judged again (STO-6). */
  doubt(piece: number): void {
    const judging = this.#judging.get(piece);
    if (judging) judging.doubted = true;
  }

  doubtAll(): void {
    for (const judging of this.#judging.values()) judging.doubted = true;
  }

  tick(nowMs: number): void {
    this.#warm.tick(nowMs);
  }

  /** Frees all memory that is not on its way to a peer; nothing is served any more. */
  close(): void {
    this.#warm.close();
  }

  #servable(piece: number, begin: number, length: number): boolean {
    if (!this.#options.have.has(piece)) return false;
    if (length === 0 || length > BLOCK_BYTES_MAX) return false;
    // Peers may also request the padding after a file's last byte: those that know only v1 do, and libtorrent
    // does so even in a v2 torrent, where no file covers it.
    const { geometry } = this.#options;
    const end = geometry.aligned ? geometry.pieceLength : geometry.pieceSize(piece);
    return begin < geometry.pieceSize(piece) && begin + length <= end;
  }

  /** Serves only pieces that were judged since their files were last known to be good. */
  #judge(piece: number, peer: UploadPeer | undefined): void {
    const underWay = this.#judging.get(piece);
    if (underWay) {
      if (peer) underWay.peers.add(peer);
      return;
    }
    const judging: Judging = { peers: new Set(), isRead: false, doubted: false };
    if (peer) judging.peers.add(peer);
    this.#judging.set(piece, judging);
    const { judge, judged, have, clock } = this.#options;
    this.#warm.drop(piece);
    const warm = this.#warm.take(piece, clock.nowMs());
    const frames = warm && this.#warm.frames(warm);
    judge.verify(piece, { digests: false, frames }, (verdict) => {
      this.#judging.delete(piece);
      const intact = verdict.kind === "intact" && have.has(piece);
      const good = intact && !judging.doubted;
      if (good) judged.add(piece);
      if (warm && good) this.#warm.keep(piece, warm);
      else if (warm) this.#warm.release(piece, warm);
      if (intact && judging.doubted) {
        if (judging.isRead) this.judge(piece);
        for (const each of judging.peers) if (each.isOpen) this.#judge(piece, each);
        return;
      }
      if (verdict.kind === "corrupt") this.#outputs.push({ kind: "corrupt", piece, verdict });
      else if (verdict.kind === "failure") this.#refused(verdict);
      for (const each of judging.peers) {
        if (!judged.has(piece)) this.#refuse(each, piece);
        if (each.isOpen) this.#serveLater(each);
      }
      if (!judging.isRead) return;
      const failure = verdict.kind === "failure" ? verdict : undefined;
      this.#outputs.push({ kind: "judged", piece, failure });
    });
  }

  /** The piece cannot be served; its requests are rejected. */
  #refuse(peer: UploadPeer, refused: number): void {
    peer.queue.removeWhere(({ piece, begin, length }) => {
      if (piece === refused) peer.link.sendReject(piece, begin, length);
      return piece === refused;
    });
  }

  /** Bytes that we may owe the peer at the moment. */
  #owedMax(peer: UploadPeer): number {
    const { slabs, clock } = this.#options;
    const share = (slabs.limitBytes - slabs.lentBytes + this.#warm.idleBytes) * OWED_SHARE;
    return Math.max(FRAME_BYTES, Math.min(owedByRate(peer, clock.nowMs()), share));
  }

  /** @returns False when nothing more can be done for this peer now. */
  #serveRun(peer: UploadPeer, room: number): boolean {
    const { slabs, limit, memory, clock } = this.#options;
    const now = clock.nowMs();
    const first = peer.queue.peek()!;
    if (!this.#options.judged.has(first.piece)) {
      this.#judge(first.piece, peer);
      return false;
    }
    const allowed = limit.available(now);
    if (allowed < Math.min(first.length, BLOCK_BYTES)) {
      this.#wait("rate", peer);
      limit.wait(now);
      return false;
    }
    const answer = this.#warm.answer(peer.queue, Math.min(room, allowed), now);
    if (answer) {
      const { warm, messages, payload } = answer;
      limit.take(payload, now);
      this.#countSent(peer, payload);
      peer.link.out.blocks(messages, () => this.#warm.release(first.piece, warm));
      return true;
    }
    const slab = memory.mayTry()
      ? this.#takeSlab(Math.min(room, allowed), first.length, peer.queue.count)
      : undefined;
    if (!slab) {
      // Blocks kept for others may use up the memory; they can be read again.
      if (this.#warm.dropIdle()) return true;
      if (memory.mayTry()) memory.handleShort();
      this.#wait("memory", peer);
      memory.wait();
      return false;
    }
    memory.take(now);
    const runs: ReadRun[] = [];
    const taken: BlockRequest[] = [];
    let used = 0;
    let payload = 0;
    for (let next = peer.queue.peek(); next; next = peer.queue.peek()) {
      const { piece, begin, length } = next;
      if (used + PIECE_HEAD_BYTES + length > slab.view.length) break;
      if (payload > 0 && (used + length > room || payload + length > allowed)) break;
      if (!this.#options.judged.has(piece)) break;
      peer.queue.shift();
      const slabOffset = writePieceHead(slab.view, used, next);
      const stored = Math.min(length, this.#options.geometry.pieceSize(piece) - begin);
      slab.view.fill(0, slabOffset + stored, slabOffset + length);
      runs.push({ piece, begin, length: stored, slabOffset });
      taken.push(next);
      used = slabOffset + length;
      payload += length;
    }
    limit.take(payload, now);
    peer.readingBytes += used;
    const give = (): void => {
      slabs.give(slab);
      memory.handleRoom();
    };
    this.#options.bytes.read(slab, runs, (outcome) => {
      peer.readingBytes -= used;
      if (outcome.kind === "failure") {
        give();
        for (const { piece, begin, length } of taken) peer.link.sendReject(piece, begin, length);
        this.#refused(outcome);
      } else {
        this.#countSent(peer, payload);
        peer.link.out.blocks(slab.view.subarray(0, used), give);
      }
    });
    return true;
  }

  #countSent(peer: UploadPeer, payload: number): void {
    peer.uploaded += payload;
    peer.rate.add(payload, this.#options.clock.nowMs());
    this.#sentBytes += payload;
  }

  #refused(failure: DiskFailure): void {
    this.#outputs.push({ kind: "refused", failure });
  }

  #takeSlab(room: number, firstLength: number, requests: number): Slab | undefined {
    const needed = PIECE_HEAD_BYTES + firstLength;
    const goal = Math.max(needed, Math.min(room, requests * FRAME_BYTES));
    for (const [index, frames] of SLAB_FRAMES.entries()) {
      const bytes = frames * FRAME_BYTES;
      if (bytes < needed) break;
      const smaller = SLAB_FRAMES[index + 1];
      if (smaller !== undefined && smaller * FRAME_BYTES >= goal) continue;
      const slab = this.#options.slabs.take(bytes);
      if (slab) return slab;
    }
    return undefined;
  }
}

function owedByRate(peer: UploadPeer, nowMs: number): number {
  if (peer.uploaded < OWED_BYTES_MAX) {
    const taken = peer.link.out.takenLately(nowMs);
    return Math.max(OWED_BYTES_START, Math.min(taken, OWED_BYTES_EARLY_MAX));
  }
  const perPeriod = (peer.rate.bytesPerSecond(nowMs) * OWED_MS) / 1000;
  return Math.min(OWED_BYTES_MAX, Math.max(OWED_BYTES_MIN, perPeriod));
}
