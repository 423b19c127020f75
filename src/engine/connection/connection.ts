import type { Bitfield } from "../../base/bitfield.ts";
import type { Endpoint } from "../../base/endpoint.ts";
import type { Clock } from "../../ports/clock.ts";
import type { NetFailure, StreamConnection, StreamHandler } from "../../ports/net.ts";
import type { HandshakeFlags } from "../../wire/handshake.ts";
import { MESSAGE } from "../../wire/message-id.ts";
import { WireDecoder } from "../../wire/wire-decoder.ts";
import { WireError } from "../../wire/wire-error.ts";
import type { HashRange, WireSink } from "../../wire/wire-sink.ts";
import { Conduct } from "./conduct.ts";
import type { ConnectionSink } from "./connection-sink.ts";
import { type DialledFor, Greeting, type GreetingStep } from "./greeting.ts";
import { Output } from "./output.ts";
import { Possession, type PossessionChange } from "./possession.ts";

/** Finds the torrent that an accepted connection asks for. */
export interface ConnectionGate {
  /** @returns Whether somebody adopted the connection, or a promise of it: the torrent is being woken. */
  admit(connection: Connection, infohash: Uint8Array): boolean | Promise<boolean>;
  /** An accepted connection ended before anybody adopted it. */
  handleStray(connection: Connection, reason: string): void;
}

/** The burst that something from the world begins; what is decided in it is sent when it ends. */
export interface BurstBounds {
  begin(): void;
  end(): void;
}

type Stage = "connecting" | "handshake" | "waking" | "open" | "closed";

/**
 * One connection to one peer: handshake, messages, the four flags of BEP 3, and what the peer has. Judges what the
 * protocol alone can judge and hands everything else to its sink. Knows no torrent, no rate and no time-out, and opens
 * no socket: the stream comes from the `StreamNet` port.
 *
 * connecting -> handshake -> open -> closed for peers we dial;
 * handshake (-> waking -> handshake) -> open -> closed for peers that dial us; any -> closed.
 */
export class Connection implements StreamHandler, WireSink {
  readonly remote: Endpoint;
  readonly incoming: boolean;
  readonly out: Output;
  readonly #conduct = new Conduct();
  readonly #possession = new Possession();
  readonly #clock: Clock;
  readonly #bursts: BurstBounds;
  readonly #stream: StreamConnection;
  readonly #gate: ConnectionGate | undefined;
  readonly #greeting: Greeting;
  #sink: ConnectionSink | undefined;
  #stage: Stage;
  #fast = false;
  #decoder: WireDecoder | undefined;
  #amChoking = true;
  #amInterested = false;
  #peerChoking = true;
  #peerInterested = false;
  #lastReceivedAtMs = 0;
  #misbehaved = false;
  #openEnded = false;
  #onEnded: (() => void) | undefined;

  /** @param options.dialled - For peers we dial. @param options.gate - For peers that dial us. */
  constructor(options: {
    readonly remote: Endpoint;
    readonly clock: Clock;
    readonly bursts: BurstBounds;
    readonly connect: (handler: StreamHandler) => StreamConnection;
    readonly dialled?: DialledFor;
    readonly gate?: ConnectionGate;
  }) {
    this.remote = options.remote;
    this.incoming = options.gate !== undefined;
    this.#clock = options.clock;
    this.#bursts = options.bursts;
    this.#gate = options.gate;
    this.#greeting = new Greeting(options.dialled);
    this.#stage = this.incoming ? "handshake" : "connecting";
    this.#stream = options.connect(this);
    this.out = new Output(this.#stream, () => this.#sink?.handleOutput());
  }

  /** Somebody takes the connection: everything it has to say goes there from now on. */
  adopt(sink: ConnectionSink): void {
    this.#sink = sink;
  }

  /** @param onEnded - Called once, when the connection has ended. To be noted only. */
  watchEnd(onEnded: () => void): void {
    this.#onEnded = onEnded;
  }

  /** What its handshake offers. */
  get flags(): HandshakeFlags | undefined {
    return this.#greeting.flags;
  }

  /** `undefined` until its handshake is over. */
  get peerId(): Uint8Array | undefined {
    return this.#greeting.peerId;
  }

  get isOpen(): boolean {
    return this.#stage === "open";
  }

  /** Both sides speak BEP 6. */
  get fast(): boolean {
    return this.#fast;
  }

  get extended(): boolean {
    return this.flags?.extended === true;
  }

  get amChoking(): boolean {
    return this.#amChoking;
  }

  get amInterested(): boolean {
    return this.#amInterested;
  }

  get peerChoking(): boolean {
    return this.#peerChoking;
  }

  get peerInterested(): boolean {
    return this.#peerInterested;
  }

  /** Clock milliseconds; of the bytes that are being taken in, during a call. */
  get lastReceivedAtMs(): number {
    return this.#lastReceivedAtMs;
  }

  /** What the peer has; `undefined` until the piece count is known. Not to be changed. */
  get pieces(): Bitfield | undefined {
    return this.#possession.pieces;
  }

  get isSeed(): boolean {
    return this.#possession.isAll;
  }

  /** It was closed because it broke the protocol. */
  get misbehaved(): boolean {
    return this.#misbehaved;
  }

  // ---- StreamHandler ---------------------------------------------------------------------------

  handleOpen(): void {
    if (this.#stage !== "connecting") return;
    this.#stage = "handshake";
    const handshake = this.#greeting.begin();
    if (handshake) this.out.frame(handshake);
    this.out.flush();
  }

  handleBytes(chunk: Uint8Array, length: number): void {
    this.#bursts.begin();
    try {
      this.#take(chunk, length);
    } catch (error) {
      if (!(error instanceof WireError)) {
        this.#bursts.end();
        throw error;
      }
      this.#misbehaves(error.message);
    }
    this.#settle();
    this.#bursts.end();
  }

  handleSent(bytes: number): void {
    this.#bursts.begin();
    this.out.handleSent(bytes, this.#clock.nowMs());
    this.#sink?.handleSent();
    this.#settle();
    this.#bursts.end();
  }

  #settle(): void {
    if (this.#sink) this.#sink.settle();
    else this.out.flush();
  }

  handleClose(failure: NetFailure | undefined): void {
    this.#bursts.begin();
    this.#end(failure ? failure.message : "the peer closed the connection", false);
    this.#bursts.end();
  }

  // ---- Ending ----------------------------------------------------------------------------------

  /**
   * Ends the connection from our side. Nothing more comes from it, and what concerns others follows when the burst is
   * over: it may be called from anywhere. Harmless when it has ended.
   */
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
    if (destroy) this.#stream.destroy();
    this.out.close();
    if (this.#sink) this.#sink.handleClosed(reason, destroy);
    else this.#gate?.handleStray(this, reason);
    this.#onEnded?.();
  }

  // ---- Handshake -------------------------------------------------------------------------------

  #take(chunk: Uint8Array, length: number): void {
    if (this.#stage === "closed" || this.#stage === "connecting") return;
    this.#lastReceivedAtMs = this.#clock.nowMs();
    if (this.#stage === "open") this.#decoder!.feed(chunk, length);
    else if (this.#stage === "waking") this.#greeting.hold(chunk.subarray(0, length));
    else this.#handleGreeting(this.#greeting.feed(chunk, length));
  }

  #handleGreeting(step: GreetingStep): void {
    switch (step.kind) {
      case "incomplete":
        break;
      case "asked":
        this.#findOwner(step.infohash, step.rest);
        break;
      case "greeted":
        this.#open(step.rest);
        break;
      case "refused":
        this.close(step.reason);
        break;
    }
  }

  #findOwner(infohash: Uint8Array, rest: Uint8Array): void {
    const admitted = this.#gate!.admit(this, infohash);
    if (!(admitted instanceof Promise)) {
      if (this.#answer(infohash)) this.#handleGreeting(this.#greeting.proceed(rest));
      return;
    }
    this.#stage = "waking";
    this.#stream.pauseReading();
    this.#greeting.hold(rest);
    void admitted.then(() => this.#handleAwake(infohash));
  }

  /** Its torrent is awake, or there is none. */
  #handleAwake(infohash: Uint8Array): void {
    if (this.#stage !== "waking") return;
    this.#stage = "handshake";
    this.#bursts.begin();
    if (this.#answer(infohash)) {
      this.#stream.resumeReading();
      const held = this.#greeting.takeHeld();
      this.handleBytes(held, held.length);
    }
    this.#bursts.end();
  }

  /** @returns Whether somebody took the connection; else it is closed. */
  #answer(infohash: Uint8Array): boolean {
    const owner = this.#sink?.owner;
    if (owner) this.out.frame(this.#greeting.answer(owner, infohash));
    else this.close("asked for a torrent that is not here");
    return owner !== undefined;
  }

  #open(rest: Uint8Array): void {
    this.#stage = "open";
    const { bounds, numbering, owner } = this.#sink!;
    this.#openEnded = numbering === "open";
    this.#fast = this.flags?.fast === true && owner.flags.fast;
    this.#decoder = new WireDecoder(this, {
      fast: this.#fast,
      v2: this.flags?.v2 === true,
      bounds,
      openEnded: this.#openEnded,
    });
    if (!this.#openEnded && Number.isFinite(bounds.wanted))
      this.#possession.setPieceCount(bounds.wanted);
    const refusal = this.#sink!.handleReady();
    if (refusal !== undefined) this.close(refusal);
    // One that was closed takes nothing.
    this.#decoder.feed(rest, rest.length);
  }

  /**
   * The info dictionary came, and with it the bounds.
   *
   * @throws {WireError} When what was said of pieces does not fit it.
   */
  handleBounds(): void {
    this.#possession.setPieceCount(this.#sink!.bounds.wanted);
  }

  /** The peer no longer has a piece (BEP 54). @returns True when it had it. */
  forgetPiece(piece: number): boolean {
    return this.#possession.handleDontHave(piece);
  }

  // ---- WireSink --------------------------------------------------------------------------------

  handleKeepAlive(): void {
    this.#countControl();
  }

  handleChoke(): void {
    this.#countControl();
    this.#setPeerChoking(true);
  }

  handleUnchoke(): void {
    this.#countControl();
    this.#setPeerChoking(false);
  }

  #setPeerChoking(choking: boolean): void {
    if (this.#peerChoking === choking) return;
    this.#peerChoking = choking;
    this.#sink!.handleChoke(choking);
  }

  handleInterested(): void {
    this.#handleInterest(true);
  }

  handleNotInterested(): void {
    this.#handleInterest(false);
  }

  #handleInterest(interested: boolean): void {
    this.#countControl();
    if (this.#peerInterested === interested) return;
    this.#peerInterested = interested;
    this.#sink!.handleInterest();
  }

  handleHave(piece: number): void {
    if (this.#openEnded || this.#possession.handleHave(piece)) this.#sink!.handleHave(piece);
  }

  handleBitfield(bits: Uint8Array): void {
    this.#countControl();
    this.#handlePossession(this.#possession.handleBitfield(bits));
  }

  handleHaveAll(): void {
    this.#countControl();
    this.#handlePossession(this.#possession.handleHaveAll());
  }

  handleHaveNone(): void {
    this.#countControl();
    this.#handlePossession(this.#possession.handleHaveNone());
  }

  #handlePossession(change: PossessionChange): void {
    if (change.kind === "stated") this.#sink!.handlePossession();
    if (change.kind !== "grown") return;
    for (const piece of change.pieces) this.#sink!.handleHave(piece);
  }

  handleRequest(piece: number, begin: number, length: number): void {
    this.#sink!.handleRequest(piece, begin, length);
  }

  handleCancel(piece: number, begin: number, length: number): void {
    this.#countControl();
    this.#sink!.handleCancel(piece, begin, length);
  }

  beginBlock(piece: number, begin: number, length: number): Uint8Array | undefined {
    return this.#sink!.beginBlock(piece, begin, length);
  }

  endBlock(piece: number, begin: number, length: number, kept: boolean): void {
    this.#sink!.endBlock(piece, begin, length, kept);
  }

  handlePort(_port: number): void {
    this.#countControl();
  }

  handleSuggest(piece: number): void {
    this.#countControl();
    this.#sink!.handleSuggest(piece);
  }

  handleReject(piece: number, begin: number, length: number): void {
    this.#sink!.handleReject(piece, begin, length);
  }

  handleAllowedFast(piece: number): void {
    this.#countControl();
    this.#sink!.handleAllowedFast(piece);
  }

  handleExtended(extensionId: number, payload: Uint8Array): void {
    this.#countControl();
    this.#sink!.handleExtended(extensionId, payload);
  }

  handleHashRequest(range: HashRange): void {
    this.#countControl();
    this.#sink!.handleHashRequest(range);
  }

  handleHashes(range: HashRange, hashes: Uint8Array): void {
    this.#sink!.handleHashes(range, hashes);
  }

  handleHashReject(range: HashRange): void {
    this.#countControl();
    this.#sink!.handleHashReject(range);
  }

  // ---- What the sink says and sends ---------------------------------------------------------------

  /** The peer asked for what cannot be had; after too many it is closed (WIR-5). */
  countBadRequest(): void {
    this.#closeFor(this.#conduct.handleBadRequest());
  }

  /** A block came that nobody waits for; after too many the peer is closed (WIR-8). */
  countUnrequestedBlock(): void {
    this.#closeFor(this.#conduct.handleUnrequestedBlock());
  }

  countWantedBlock(): void {
    this.#conduct.handleWantedBlock();
  }

  /** So many blocks that we asked for may come although nobody counts on them any more. */
  excuseBlocks(count: number): void {
    this.#conduct.excuseBlocks(count);
  }

  setChoking(choking: boolean): void {
    if (this.#amChoking === choking) return;
    this.#amChoking = choking;
    this.out.signal(choking ? MESSAGE.choke : MESSAGE.unchoke);
  }

  setInterested(interested: boolean): void {
    if (this.#amInterested === interested) return;
    this.#amInterested = interested;
    this.out.signal(interested ? MESSAGE.interested : MESSAGE.notInterested);
  }

  /** Only with the fast extension; without it there is no such answer. */
  sendReject(piece: number, begin: number, length: number): void {
    if (this.#fast) this.out.reject(piece, begin, length);
  }

  #countControl(): void {
    this.#closeFor(this.#conduct.handleControl(this.#lastReceivedAtMs));
  }

  #closeFor(reason: string | undefined): void {
    if (reason !== undefined) this.#misbehaves(reason);
  }
}
