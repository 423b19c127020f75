import type { Bitfield } from "../../base/bitfield.ts";
import type { Endpoint } from "../../base/endpoint.ts";
import { BLOCK_BYTES } from "../../base/geometry.ts";
import { clientName } from "../../base/peer-id.ts";
import type { NetFailure, StreamConnection, StreamHandler } from "../../ports/net.ts";
import type { HandshakeFlags } from "../../wire/handshake.ts";
import { MESSAGE } from "../../wire/message-id.ts";
import { WireDecoder } from "../../wire/wire-decoder.ts";
import { WireError } from "../../wire/wire-error.ts";
import type { HashRange, WireSink } from "../../wire/wire-sink.ts";
import { FastGrants } from "../upload/fast-grants.ts";
import type { PeerKey } from "../picker/peer-key.ts";
import { Conduct } from "./conduct.ts";
import { Output } from "./output.ts";
import { type DialledFor, Greeting } from "./greeting.ts";
import type { PeerGate, PeerOwner, PeerTransfer } from "./connection-sink.ts";
import { Possession, type PossessionChange } from "./possession.ts";
import type { BlockTarget } from "../storage/piece-store.ts";
import { RateMeter } from "../sharing/rate-meter.ts";
import { RequestWindow } from "../download/request-window.ts";
import { UploadQueue } from "../upload/upload-queue.ts";

/** Allowed-fast pieces of one peer that we remember; BEP 6 proposes 10. */
const ALLOWED_FAST_MAX = 64;

type Stage = "connecting" | "handshake" | "open" | "closed";

/**
 * One connection to one peer: handshake, the four flags of BEP 3, what the peer has, what it owes us and
 * what we owe it. Judges what the protocol alone can judge; everything that concerns other peers is
 * the owner's. Drives no clock and opens no socket: the connection comes from the `StreamNet` port.
 *
 * connecting -> handshake -> open -> closed for peers we dial;
 * handshake -> open -> closed for peers that dial us; any -> closed.
 */
export class Peer implements StreamHandler, WireSink {
  readonly remote: Endpoint;
  readonly incoming: boolean;
  readonly download = new RateMeter();
  readonly upload = new RateMeter();
  readonly out: Output;
  readonly window: RequestWindow;
  readonly queue: UploadQueue;
  readonly conduct = new Conduct();
  readonly possession = new Possession();

  /** The owner's name for it; -1 until it is ready. */
  key: PeerKey | -1 = -1;

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
  /** Mean length of the blocks it has sent lately, bytes. */
  blockBytes = BLOCK_BYTES;
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
  /** Pieces it may ask us for while we choke it (BEP 6). */
  readonly grants = new FastGrants();
  /** Where the block that is coming in goes. */
  target: BlockTarget | undefined;
  /** Bytes that are being read from disk for it. */
  readingBytes = 0;

  readonly #connection: StreamConnection;
  readonly #gate: PeerGate<Peer> | undefined;
  #stage: Stage;
  readonly #greeting: Greeting<Peer>;
  #decoder: WireDecoder | undefined;
  #misbehaved = false;
  /** The block that is arriving; -1 when none is. */
  #incomingPiece = -1;
  #incomingBlock = -1;

  /** @param options.dialled - For peers we dial. @param options.gate - For peers that dial us. */
  constructor(options: {
    readonly remote: Endpoint;
    readonly connect: (peer: Peer) => StreamConnection;
    readonly requestQueueMax: number;
    readonly dialled?: DialledFor<Peer>;
    readonly gate?: PeerGate<Peer>;
  }) {
    this.remote = options.remote;
    this.incoming = options.gate !== undefined;
    this.#gate = options.gate;
    this.#greeting = this.#makeGreeting(options.dialled);
    this.#stage = this.incoming ? "handshake" : "connecting";
    this.window = new RequestWindow(options.requestQueueMax);
    this.queue = new UploadQueue(options.requestQueueMax);
    this.#connection = options.connect(this);
    this.out = new Output(this.#connection, () => this.owner?.handleOutput(this));
  }

  get owner(): PeerOwner<Peer> | undefined {
    return this.#greeting.owner;
  }

  /** What its handshake offers. */
  get flags(): HandshakeFlags | undefined {
    return this.#greeting.flags;
  }

  /** `undefined` until its handshake is over. */
  get peerId(): Uint8Array | undefined {
    return this.#greeting.peerId;
  }

  get #transfer(): PeerTransfer<Peer> | undefined {
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

  /** What the peer has; `undefined` until the piece count is known. */
  get pieces(): Bitfield | undefined {
    return this.possession.pieces;
  }

  get isSeed(): boolean {
    return this.possession.isAll;
  }

  get client(): string {
    return this.clientWords ?? (this.peerId ? clientName(this.peerId) : "unknown client");
  }

  /** It was closed because it broke the protocol. */
  get misbehaved(): boolean {
    return this.#misbehaved;
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
    this.#greeting.begin();
    this.out.flush();
  }

  handleBytes(chunk: Uint8Array, length: number): void {
    try {
      this.#take(chunk, length);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.#misbehaves(error.message);
    }
    this.#settle();
  }

  handleSent(bytes: number): void {
    this.out.handleSent(bytes);
    this.serve();
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

  #misbehaves(reason: string): void {
    this.#misbehaved = true;
    this.close(reason);
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
    else this.#gate?.handleStray(this, reason);
  }

  // ---- Handshake -------------------------------------------------------------------------------

  #take(chunk: Uint8Array, length: number): void {
    if (this.#stage === "closed" || this.#stage === "connecting") return;
    if (this.owner) this.lastReceivedAtMs = this.owner.nowMs();
    if (this.#stage === "open") this.#decoder!.feed(chunk, length);
    else this.#greeting.feed(chunk, length);
  }

  #makeGreeting(dialled: DialledFor<Peer> | undefined): Greeting<Peer> {
    return new Greeting(dialled, {
      findOwner: (infohash) => this.#gate!.admit(this, infohash),
      send: (handshake) => this.out.frame(handshake),
      pauseReading: () => this.#connection.pauseReading(),
      resumeReading: (held) => {
        this.#connection.resumeReading();
        this.handleBytes(held, held.length);
      },
      handleGreeted: (owner, rest) => this.#open(owner, rest),
      close: (reason) => this.close(reason),
      isClosed: () => this.isClosedNow(),
    });
  }

  #open(owner: PeerOwner<Peer>, rest: Uint8Array): void {
    this.#stage = "open";
    this.connectedAtMs = owner.nowMs();
    this.lastReceivedAtMs = this.connectedAtMs;
    this.lastBlockAtMs = this.connectedAtMs;
    this.#decoder = new WireDecoder(this, {
      fast: this.fast,
      v2: this.flags?.v2 === true,
      pieceCount: owner.pieceCount,
    });
    if (owner.pieceCount !== undefined) this.possession.setPieceCount(owner.pieceCount);
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

  /** The info dictionary came. @throws {WireError} When what was said of pieces does not fit it. */
  setPieceCount(pieceCount: number): void {
    this.#decoder?.setPieceCount(pieceCount);
    this.possession.setPieceCount(pieceCount);
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
    this.#handleInterest(true);
  }

  handleNotInterested(): void {
    this.#handleInterest(false);
  }

  #handleInterest(interested: boolean): void {
    this.#countControl();
    if (this.peerInterested === interested) return;
    this.peerInterested = interested;
    this.owner!.handleInterest(this);
  }

  handleHave(piece: number): void {
    if (this.possession.handleHave(piece)) this.owner!.handleHave(this, piece);
  }

  handleBitfield(bits: Uint8Array): void {
    this.#countControl();
    this.#handlePossession(this.possession.handleBitfield(bits));
  }

  handleHaveAll(): void {
    this.#countControl();
    this.#handlePossession(this.possession.handleHaveAll());
  }

  handleHaveNone(): void {
    this.#countControl();
    this.#handlePossession(this.possession.handleHaveNone());
  }

  #handlePossession(change: PossessionChange): void {
    if (change.kind === "stated") this.owner!.handlePossession(this);
    if (change.kind !== "grown") return;
    for (const piece of change.pieces) this.owner!.handleHave(this, piece);
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
      this.#closeFor(this.conduct.handleUnrequestedBlock());
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
      this.conduct.handleWantedBlock();
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
    this.#closeFor(this.conduct.handleBadRequest());
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

  /** Only with the fast extension; without it there is no such answer. */
  sendReject(piece: number, begin: number, length: number): void {
    if (this.fast) this.out.reject(piece, begin, length);
  }

  #countControl(): void {
    this.#closeFor(this.conduct.handleControl(this.owner!.nowMs()));
  }

  #closeFor(reason: string | undefined): void {
    if (reason !== undefined) this.#misbehaves(reason);
  }
}
