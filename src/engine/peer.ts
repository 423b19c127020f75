import { Bitfield } from "../base/bitfield.ts";
import type { Endpoint } from "../base/endpoint.ts";
import { BLOCK_BYTES } from "../base/geometry.ts";
import { clientName } from "../base/peer-id.ts";
import type { NetFailure, StreamConnection, StreamHandler } from "../ports/net.ts";
import { encodeBitfield } from "../wire/encode-messages.ts";
import { HandshakeDecoder, encodeHandshake, type HandshakeFlags } from "../wire/handshake.ts";
import { MESSAGE } from "../wire/message-id.ts";
import { WireDecoder } from "../wire/wire-decoder.ts";
import { WireError } from "../wire/wire-error.ts";
import type { HashRange, WireSink } from "../wire/wire-sink.ts";
import type { PeerKey } from "./peer-key.ts";
import { PeerOutput } from "./peer-output.ts";
import type { BlockTarget } from "./piece-store.ts";
import { RateMeter } from "./rate-meter.ts";
import { RequestWindow } from "./request-window.ts";
import { UploadQueue } from "./upload-queue.ts";

/** Blocks that came unasked before the peer is closed (WIR-8). Crossing cancels explain a few. */
const UNREQUESTED_BLOCKS_MAX = 64;
/** Requests that cannot be served before the peer is closed (WIR-5). */
const BAD_REQUESTS_MAX = 300;
/** Messages other than blocks, requests and haves in one control period before the peer is closed (WIR-7). */
const CONTROL_MESSAGES_MAX = 1000;
const CONTROL_PERIOD_MS = 10_000;
/** Allowed-fast pieces of one peer that we remember; BEP 6 proposes 10. */
const ALLOWED_FAST_MAX = 64;

/** The moving of bytes, once the torrent's files are open. */
export interface PeerTransfer {
  readonly download: {
    handleChoked(peer: Peer): void;
    handleSuggested(peer: Peer, piece: number): void;
    handleAllowedFast(peer: Peer, piece: number): void;
    /** Asks for more, if there is something to ask. */
    refill(peer: Peer): void;
    /** @returns Where the payload of a requested block goes, or `undefined` to drop it. */
    beginBlock(peer: Peer, piece: number, block: number, length: number): Uint8Array | undefined;
    endBlock(peer: Peer, piece: number, block: number): void;
    /** The block that was coming in will not be finished. */
    dropBlock(peer: Peer, piece: number, block: number): void;
    handleRejected(peer: Peer, piece: number, block: number): void;
  };
  readonly upload: {
    handleCancel(peer: Peer, piece: number, begin: number, length: number): void;
    /** Sends what is owed, as far as there is room. */
    serve(peer: Peer): void;
  };
  handleRequest(peer: Peer, piece: number, begin: number, length: number): void;
}

/** What a peer tells the torrent it belongs to. Numbers have been checked against the piece count. */
export interface PeerOwner {
  readonly pieceCount: number | undefined;
  readonly peerId: Uint8Array;
  /** What our handshake offers. */
  readonly flags: HandshakeFlags;
  accepts(infohash: Uint8Array): boolean;
  nowMs(): number;
  /** `undefined` until the torrent's files are open. */
  transfer(): PeerTransfer | undefined;
  /** Handshakes are exchanged, messages may flow. @returns Why the peer is refused, or `undefined`. */
  handleReady(peer: Peer): string | undefined;
  /** @param byUs - False when the peer, or the net, ended it. */
  handleClosed(peer: Peer, reason: string, byUs: boolean): void;
  /** `peer.pieces` has grown by one piece. */
  handleHave(peer: Peer, piece: number): void;
  /** `peer.pieces` was stated as a whole. */
  handlePossession(peer: Peer): void;
  handleInterest(peer: Peer): void;
  /** A block of so many bytes arrived, wanted or not. */
  handleDownloaded(bytes: number): void;
  handleExtended(peer: Peer, extensionId: number, payload: Uint8Array): void;
  handleHashRequest(peer: Peer, range: HashRange): void;
  handleHashes(peer: Peer, range: HashRange, hashes: Uint8Array): void;
  handleHashReject(peer: Peer, range: HashRange): void;
  /** The peer has gathered something to send, to be flushed when the burst of events is over. */
  handleOutput(peer: Peer): void;
  /** A burst of events is over: what was decided during it is sent. */
  settle(): void;
}

/** Who finds the torrent an accepted connection asks for. */
export interface PeerGate {
  /** @returns The torrent, a promise of it (it is being woken), or `undefined`: not ours. */
  admit(peer: Peer, infohash: Uint8Array): PeerOwner | undefined | Promise<PeerOwner | undefined>;
  /** An accepted connection ended before it found its torrent. */
  handleStray(peer: Peer): void;
}

type Stage = "connecting" | "handshake" | "waking" | "open" | "closed";

/**
 * One connection to one peer: handshake, the four flags of BEP 3, what the peer has, what it owes us and
 * what we owe it. Judges what the protocol alone can judge; everything that concerns other peers is
 * the owner's. Drives no clock and opens no socket: the connection comes from the `StreamNet` port.
 *
 * connecting -> handshake -> open -> closed for peers we dial;
 * handshake -> (waking ->) open -> closed for peers that dial us; any -> closed.
 */
export class Peer implements StreamHandler, WireSink {
  readonly remote: Endpoint;
  readonly incoming: boolean;
  readonly download = new RateMeter();
  readonly upload = new RateMeter();
  readonly out: PeerOutput;
  readonly window: RequestWindow;
  readonly queue: UploadQueue;

  /** The owner's name for it; -1 until it is ready. */
  key: PeerKey | -1 = -1;
  owner: PeerOwner | undefined;
  peerId: Uint8Array | undefined;
  flags: HandshakeFlags | undefined;
  /** What the peer has; `undefined` until the piece count is known. */
  pieces: Bitfield | undefined;

  amChoking = true;
  amInterested = false;
  peerChoking = true;
  peerInterested = false;
  snubbed = false;

  uploaded = 0;
  downloaded = 0;
  /** When it was dialled or found its torrent. */
  begunAtMs = 0;
  connectedAtMs = 0;
  lastReceivedAtMs = 0;
  lastFlushedAtMs = 0;
  lastBlockAtMs = 0;
  /** When the block that is arriving, or arrived last, began. */
  blockBegunAtMs = 0;
  chokedAtMs = 0;

  /** Blocks that may be outstanding; grows while the peer keeps up. */
  depth = 16;
  slowStart = true;
  /** Requests it queues without dropping (BEP 10 `reqq`); a modest guess until it says. */
  requestQueueLimit = 250;
  /** Wants nothing more (BEP 21). */
  uploadOnly = false;
  /** Where it listens, by its own word; `undefined` until it says. */
  listenPort: number | undefined;
  /** Its name in its own words. From outside: escape where it is shown. */
  clientWords: string | undefined;
  /** Pieces the peer lets us ask for while it chokes us (BEP 6). */
  readonly allowedFast = new Set<number>();
  /** Where the block that is coming in goes. */
  target: BlockTarget | undefined;
  /** Bytes that are being read from disk for it. */
  readingBytes = 0;

  readonly #connection: StreamConnection;
  readonly #gate: PeerGate | undefined;
  #stage: Stage;
  #handshake = new HandshakeDecoder();
  #decoder: WireDecoder | undefined;
  #ourInfohash: Uint8Array | undefined;
  /** Possession stated before the piece count was known (magnet links). */
  #earlyBits: Uint8Array | "all" | "none" | undefined;
  #earlyHaves: number[] = [];
  /** Bytes that came while the torrent was being woken. */
  #held: Uint8Array | undefined;
  /** The block that is arriving; -1 when none is. */
  #incomingPiece = -1;
  #incomingBlock = -1;
  #unrequested = 0;
  #badRequests = 0;
  #controlMessages = 0;
  #controlSinceMs = 0;

  /** @param options.owner - For peers we dial. @param options.gate - For peers that dial us. */
  constructor(options: {
    readonly remote: Endpoint;
    readonly connect: (peer: Peer) => StreamConnection;
    readonly requestQueueMax: number;
    readonly owner?: PeerOwner;
    readonly infohash?: Uint8Array;
    readonly gate?: PeerGate;
  }) {
    this.remote = options.remote;
    this.incoming = options.gate !== undefined;
    this.owner = options.owner;
    this.#gate = options.gate;
    this.#ourInfohash = options.infohash;
    this.#stage = this.incoming ? "handshake" : "connecting";
    this.window = new RequestWindow(options.requestQueueMax);
    this.queue = new UploadQueue(options.requestQueueMax);
    this.#connection = options.connect(this);
    this.out = new PeerOutput(this.#connection, () => this.owner?.handleOutput(this));
  }

  get stage(): Stage {
    return this.#stage;
  }

  get #transfer(): PeerTransfer | undefined {
    return this.owner?.transfer();
  }

  get isOpen(): boolean {
    return this.#stage === "open";
  }

  get fast(): boolean {
    return this.flags?.fast === true && this.owner?.flags.fast === true;
  }

  get extended(): boolean {
    return this.flags?.extended === true;
  }

  get isSeed(): boolean {
    return this.pieces !== undefined && this.pieces.length > 0 && this.pieces.full;
  }

  get client(): string {
    return this.clientWords ?? (this.peerId ? clientName(this.peerId) : "unknown client");
  }

  /** A block we asked for has begun to arrive and is not whole. */
  get isBlockArriving(): boolean {
    return this.#incomingPiece !== -1;
  }

  /** Bytes read or written for it that it has not taken yet. */
  get owedBytes(): number {
    return this.readingBytes + this.out.bufferedBytes;
  }

  // ---- StreamHandler ---------------------------------------------------------------------------

  handleOpen(): void {
    if (this.#stage !== "connecting") return;
    this.#stage = "handshake";
    this.#sendHandshake();
    this.out.flush();
  }

  handleBytes(chunk: Uint8Array, length: number): void {
    try {
      this.#take(chunk, length);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.close(error.message);
    }
    this.#settle();
  }

  handleSent(bytes: number): void {
    this.out.handleSent(bytes);
    this.#transfer?.upload.serve(this);
    this.#settle();
  }

  /** Memory or rate may have come free for what it is owed. */
  serve(): void {
    this.#transfer?.upload.serve(this);
    this.#settle();
  }

  #settle(): void {
    if (this.owner) this.owner.settle();
    else this.out.flush();
  }

  handleClose(failure: NetFailure | undefined): void {
    this.#end(failure ? failure.message : "the peer closed the connection", false);
  }

  // ---- Ending ----------------------------------------------------------------------------------

  /** Ends the connection from our side. Harmless when it has ended. */
  close(reason: string): void {
    this.#end(reason, true);
  }

  #end(reason: string, destroy: boolean): void {
    if (this.#stage === "closed") return;
    this.#stage = "closed";
    this.#decoder?.stop();
    if (destroy) this.#connection.destroy();
    this.out.close();
    if (this.isBlockArriving) {
      this.#transfer?.download.dropBlock(this, this.#incomingPiece, this.#incomingBlock);
      this.#incomingPiece = -1;
    }
    if (this.owner) this.owner.handleClosed(this, reason, destroy);
    else this.#gate?.handleStray(this);
  }

  // ---- Handshake -------------------------------------------------------------------------------

  #take(chunk: Uint8Array, length: number): void {
    if (this.#stage === "closed" || this.#stage === "connecting") return;
    if (this.owner) this.lastReceivedAtMs = this.owner.nowMs();
    if (this.#stage === "open") {
      this.#decoder!.feed(chunk, length);
      return;
    }
    if (this.#stage === "waking") {
      // Reading is paused; what was on its way already is little.
      this.#held = join(this.#held, chunk.subarray(0, length));
      return;
    }
    const taken = this.#handshake.feed(chunk, length);
    const rest = chunk.subarray(taken, length);
    const infohash = this.#handshake.infohash;
    if (!infohash) return;
    this.flags ??= this.#handshake.flags;
    if (!this.owner) {
      this.#admit(infohash, rest);
      return;
    }
    this.#finishHandshake(rest);
  }

  #admit(infohash: Uint8Array, rest: Uint8Array): void {
    const answer = this.#gate!.admit(this, infohash);
    if (!(answer instanceof Promise)) {
      this.#adopt(answer, infohash);
      if (this.isClosedNow()) return;
      this.#finishHandshake(rest);
      return;
    }
    this.#stage = "waking";
    this.#connection.pauseReading();
    this.#held = rest.slice();
    void answer.then((owner) => {
      if (this.isClosedNow()) return;
      this.#stage = "handshake";
      this.#adopt(owner, infohash);
      if (this.isClosedNow()) return;
      const held = this.#held ?? new Uint8Array(0);
      this.#held = undefined;
      this.#connection.resumeReading();
      this.#resume(held);
    });
  }

  /** What was held back while waking, as if it arrived now. */
  #resume(held: Uint8Array): void {
    try {
      if (this.#handshake.peerId) this.#finishHandshake(held);
      else this.#take(held, held.length);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.close(error.message);
    }
    this.#settle();
  }

  #adopt(owner: PeerOwner | undefined, infohash: Uint8Array): void {
    if (!owner) {
      this.close("asked for a torrent that is not here");
      return;
    }
    this.owner = owner;
    this.#ourInfohash = infohash.slice();
    this.#sendHandshake();
  }

  #finishHandshake(rest: Uint8Array): void {
    const peerId = this.#handshake.peerId;
    const owner = this.owner;
    if (!peerId || !owner) return;
    if (!this.incoming && !owner.accepts(this.#handshake.infohash!)) {
      this.close("answered with another infohash");
      return;
    }
    this.peerId = peerId.slice();
    this.#stage = "open";
    this.connectedAtMs = owner.nowMs();
    this.lastReceivedAtMs = this.connectedAtMs;
    this.lastBlockAtMs = this.connectedAtMs;
    this.#controlSinceMs = this.connectedAtMs;
    this.#decoder = new WireDecoder(this, {
      fast: this.fast,
      v2: this.flags?.v2 === true,
      pieceCount: owner.pieceCount,
    });
    if (owner.pieceCount !== undefined) this.pieces = new Bitfield(owner.pieceCount);
    const refusal = owner.handleReady(this);
    if (refusal !== undefined) {
      this.close(refusal);
      return;
    }
    if (rest.length > 0 && !this.isClosedNow()) this.#decoder.feed(rest, rest.length);
  }

  /** Asked after calls that may have closed us, which the compiler cannot see. */
  isClosedNow(): boolean {
    return this.#stage === "closed";
  }

  #sendHandshake(): void {
    const owner = this.owner!;
    this.out.frame(
      encodeHandshake({ ...owner.flags, infohash: this.#ourInfohash!, peerId: owner.peerId }),
    );
  }

  /**
   * The info dictionary came: what the peer said about pieces before can be understood now.
   *
   * @throws {WireError} When it does not fit the piece count.
   */
  setPieceCount(pieceCount: number): void {
    this.#decoder?.setPieceCount(pieceCount);
    const early = this.#earlyBits;
    let pieces: Bitfield | undefined;
    if (early instanceof Uint8Array) {
      pieces = Bitfield.from(early, pieceCount);
      if (!pieces)
        throw new WireError("bad-bitfield", `${early.length} bytes for ${pieceCount} pieces`);
    } else {
      pieces = new Bitfield(pieceCount);
      if (early === "all") pieces.fill();
    }
    for (const piece of this.#earlyHaves) {
      if (piece >= pieceCount) throw new WireError("bad-index", `piece ${piece} of ${pieceCount}`);
      pieces.add(piece);
    }
    this.pieces = pieces;
    this.#earlyBits = undefined;
    this.#earlyHaves = [];
  }

  // ---- WireSink --------------------------------------------------------------------------------

  handleKeepAlive(): void {
    this.#countControl();
  }

  handleChoke(): void {
    this.#countControl();
    if (this.peerChoking) return;
    this.peerChoking = true;
    this.#transfer?.download.handleChoked(this);
  }

  handleUnchoke(): void {
    this.#countControl();
    if (!this.peerChoking) return;
    this.peerChoking = false;
    this.#transfer?.download.refill(this);
  }

  handleInterested(): void {
    this.#countControl();
    if (this.peerInterested) return;
    this.peerInterested = true;
    this.owner!.handleInterest(this);
  }

  handleNotInterested(): void {
    this.#countControl();
    if (!this.peerInterested) return;
    this.peerInterested = false;
    this.owner!.handleInterest(this);
  }

  handleHave(piece: number): void {
    if (!this.pieces) {
      // Before the metadata is here: bounded by what a real torrent of 16 MiB bitfield could send.
      if (this.#earlyHaves.length < 100_000) this.#earlyHaves.push(piece);
      return;
    }
    if (this.pieces.add(piece)) this.owner!.handleHave(this, piece);
  }

  handleBitfield(bits: Uint8Array): void {
    this.#countControl();
    const known = this.pieces;
    if (!known) {
      this.#earlyBits = bits.slice();
      return;
    }
    const pieces = Bitfield.from(bits, known.length);
    if (!pieces) throw new WireError("bad-bitfield", "spare bits are set");
    if (known.count === 0) {
      this.pieces = pieces;
      this.owner!.handlePossession(this);
      return;
    }
    // aria2 sends its bitfield again instead of many haves.
    for (const piece of known.indexes()) {
      if (!pieces.has(piece)) throw new WireError("contradiction", `takes piece ${piece} back`);
    }
    for (const piece of pieces.indexes()) {
      if (known.add(piece)) this.owner!.handleHave(this, piece);
    }
  }

  handleHaveAll(): void {
    this.#countControl();
    if (!this.pieces) {
      this.#earlyBits = "all";
      return;
    }
    this.pieces.fill();
    this.owner!.handlePossession(this);
  }

  handleHaveNone(): void {
    this.#countControl();
    if (!this.pieces) {
      this.#earlyBits = "none";
      return;
    }
    this.owner!.handlePossession(this);
  }

  handleRequest(piece: number, begin: number, length: number): void {
    const transfer = this.#transfer;
    if (transfer) transfer.handleRequest(this, piece, begin, length);
    else this.sendReject(piece, begin, length);
  }

  handleCancel(piece: number, begin: number, length: number): void {
    this.#countControl();
    this.#transfer?.upload.handleCancel(this, piece, begin, length);
  }

  beginBlock(piece: number, begin: number, length: number): Uint8Array | undefined {
    const block = begin / BLOCK_BYTES;
    if (!Number.isInteger(block) || !this.window.has(piece, block)) {
      this.#unrequested += 1;
      if (this.#unrequested > UNREQUESTED_BLOCKS_MAX) {
        this.close("sends blocks that nobody asked for");
      }
      return undefined;
    }
    const target = this.#transfer?.download.beginBlock(this, piece, block, length);
    if (target) {
      this.#incomingPiece = piece;
      this.#incomingBlock = block;
      this.blockBegunAtMs = this.lastReceivedAtMs;
    }
    return target;
  }

  endBlock(piece: number, begin: number, length: number, kept: boolean): void {
    const now = this.owner!.nowMs();
    this.download.add(length, now);
    this.downloaded += length;
    this.owner!.handleDownloaded(length);
    this.lastBlockAtMs = now;
    this.#incomingPiece = -1;
    const block = begin / BLOCK_BYTES;
    if (kept) {
      if (this.#unrequested > 0) this.#unrequested -= 1;
      this.window.take(piece, block);
      this.#transfer!.download.endBlock(this, piece, block);
    } else if (Number.isInteger(block) && this.window.take(piece, block)) {
      this.#transfer?.download.handleRejected(this, piece, block);
    }
  }

  handlePort(_port: number): void {
    this.#countControl();
  }

  handleSuggest(piece: number): void {
    this.#countControl();
    this.#transfer?.download.handleSuggested(this, piece);
  }

  handleReject(piece: number, begin: number, _length: number): void {
    const block = begin / BLOCK_BYTES;
    if (!Number.isInteger(block) || !this.window.take(piece, block)) {
      // A reject may cross our cancel in end game, so a few are no crime.
      this.countBadRequest();
      return;
    }
    this.#transfer?.download.handleRejected(this, piece, block);
  }

  handleAllowedFast(piece: number): void {
    this.#countControl();
    if (!this.pieces || this.allowedFast.size >= ALLOWED_FAST_MAX) return;
    this.allowedFast.add(piece);
    this.#transfer?.download.handleAllowedFast(this, piece);
  }

  handleExtended(extensionId: number, payload: Uint8Array): void {
    this.#countControl();
    this.owner!.handleExtended(this, extensionId, payload);
  }

  handleHashRequest(range: HashRange): void {
    this.#countControl();
    this.owner!.handleHashRequest(this, range);
  }

  handleHashes(range: HashRange, hashes: Uint8Array): void {
    this.owner!.handleHashes(this, range, hashes);
  }

  handleHashReject(range: HashRange): void {
    this.#countControl();
    this.owner!.handleHashReject(this, range);
  }

  /** The peer asked for what cannot be had; after too many it is closed (WIR-5). */
  countBadRequest(): void {
    this.#badRequests += 1;
    if (this.#badRequests > BAD_REQUESTS_MAX) this.close("keeps asking for what cannot be had");
  }

  setChoking(choking: boolean): void {
    if (this.amChoking === choking) return;
    this.amChoking = choking;
    if (choking) this.chokedAtMs = this.owner!.nowMs();
    this.out.signal(choking ? MESSAGE.choke : MESSAGE.unchoke);
  }

  setInterested(interested: boolean): void {
    if (this.amInterested === interested) return;
    this.amInterested = interested;
    this.out.signal(interested ? MESSAGE.interested : MESSAGE.notInterested);
  }

  /** The first message about pieces: have-all or have-none in 5 bytes where the peer knows them. */
  sendPossession(have: Bitfield | undefined): void {
    if (this.fast && have?.full === true) this.out.signal(MESSAGE.haveAll);
    else if (have && have.count > 0) this.out.frame(encodeBitfield(have.bytes));
    else if (this.fast) this.out.signal(MESSAGE.haveNone);
  }

  /** Only with the fast extension; without it there is no such answer. */
  sendReject(piece: number, begin: number, length: number): void {
    if (this.fast) this.out.reject(piece, begin, length);
  }

  #countControl(): void {
    const now = this.owner!.nowMs();
    if (now - this.#controlSinceMs > CONTROL_PERIOD_MS) {
      this.#controlSinceMs = now;
      this.#controlMessages = 0;
    }
    this.#controlMessages += 1;
    if (this.#controlMessages > CONTROL_MESSAGES_MAX) this.close("floods us with control messages");
  }
}

function join(first: Uint8Array | undefined, second: Uint8Array): Uint8Array {
  if (!first || first.length === 0) return second.slice();
  const joined = new Uint8Array(first.length + second.length);
  joined.set(first);
  joined.set(second, first.length);
  return joined;
}
