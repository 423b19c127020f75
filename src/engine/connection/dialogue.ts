import type { Bitfield } from "../../base/bitfield.ts";
import { MESSAGE } from "../../wire/message-id.ts";
import type { HashRange, WireSink } from "../../wire/wire-sink.ts";
import { Conduct } from "./conduct.ts";
import type { ConnectionSink } from "./connection-sink.ts";
import type { SendBuffer } from "./send-buffer.ts";
import { Possession, type PossessionChange } from "./possession.ts";

/**
 * The exchange over a connection after the handshakes: messages, the four flags of BEP 3, and the peer's pieces. It
 * judges what the protocol alone can judge and passes everything else to its sink.
 */
export abstract class Dialogue implements WireSink {
  abstract readonly out: SendBuffer;
  protected sink: ConnectionSink | undefined;
  readonly #conduct = new Conduct();
  readonly #possession = new Possession();
  #fast = false;
  #amChoking = true;
  #amInterested = false;
  #peerChoking = true;
  #peerInterested = false;
  #lastReceivedAtMs = 0;
  #openEnded = false;

  /** The peer broke the protocol: the connection ends. */
  protected abstract misbehaves(reason: string): void;

  /** An owner takes the connection: its messages go to that sink from now on. */
  adopt(sink: ConnectionSink): void {
    this.sink = sink;
  }

  /** Both sides speak BEP 6. */
  get fast(): boolean {
    return this.#fast;
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

  /** In clock milliseconds; during a call, of the bytes that are being processed. */
  get lastReceivedAtMs(): number {
    return this.#lastReceivedAtMs;
  }

  /** The peer's pieces; `undefined` until the piece count is known. Do not change it. */
  get pieces(): Bitfield | undefined {
    return this.#possession.pieces;
  }

  get isSeed(): boolean {
    return this.#possession.isAll;
  }

  protected noteReceived(now: number): void {
    this.#lastReceivedAtMs = now;
  }

  /** Handshakes are exchanged. @returns Whether the piece numbers are open-ended. */
  protected beginTalk(fast: boolean): boolean {
    const { bounds, numbering } = this.sink!;
    this.#fast = fast;
    this.#openEnded = numbering === "open";
    if (!this.#openEnded && Number.isFinite(bounds.wanted))
      this.#possession.setPieceCount(bounds.wanted);
    return this.#openEnded;
  }

  /**
   * The info dictionary arrived, and with it the bounds.
   *
   * @throws {WireError} When the peer's earlier statements about pieces do not fit it.
   */
  handleBounds(): void {
    this.#possession.setPieceCount(this.sink!.bounds.wanted);
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
    this.sink!.handleChoke(choking);
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
    this.sink!.handleInterest();
  }

  handleHave(piece: number): void {
    if (this.#openEnded || this.#possession.handleHave(piece)) this.sink!.handleHave(piece);
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
    if (change.kind === "stated") this.sink!.handlePossession();
    if (change.kind !== "grown") return;
    for (const piece of change.pieces) this.sink!.handleHave(piece);
  }

  handleRequest(piece: number, begin: number, length: number): void {
    this.sink!.handleRequest(piece, begin, length);
  }

  handleCancel(piece: number, begin: number, length: number): void {
    this.#countControl();
    this.sink!.handleCancel(piece, begin, length);
  }

  beginBlock(piece: number, begin: number, length: number): Uint8Array | undefined {
    return this.sink!.beginBlock(piece, begin, length);
  }

  endBlock(piece: number, begin: number, length: number, kept: boolean): void {
    this.sink!.endBlock(piece, begin, length, kept);
  }

  handlePort(port: number): void {
    this.#countControl();
    this.sink!.handlePort(port);
  }

  handleSuggest(piece: number): void {
    this.#countControl();
    this.sink!.handleSuggest(piece);
  }

  handleReject(piece: number, begin: number, length: number): void {
    this.sink!.handleReject(piece, begin, length);
  }

  handleAllowedFast(piece: number): void {
    this.#countControl();
    this.sink!.handleAllowedFast(piece);
  }

  handleExtended(extensionId: number, payload: Uint8Array): void {
    this.#countControl();
    this.sink!.handleExtended(extensionId, payload);
  }

  handleHashRequest(range: HashRange): void {
    this.#countControl();
    this.sink!.handleHashRequest(range);
  }

  handleHashes(range: HashRange, hashes: Uint8Array): void {
    this.sink!.handleHashes(range, hashes);
  }

  handleHashReject(range: HashRange): void {
    this.#countControl();
    this.sink!.handleHashReject(range);
  }

  // ---- Calls of the sink --------------------------------------------------------------------------

  /** The peer sent a request that cannot be served; after too many it is closed (WIR-5). */
  countBadRequest(): void {
    this.#closeFor(this.#conduct.handleBadRequest());
  }

  /** An unrequested block arrived; after too many the peer is closed (WIR-8). */
  countUnrequestedBlock(): void {
    this.#closeFor(this.#conduct.handleUnrequestedBlock());
  }

  countWantedBlock(): void {
    this.#conduct.handleWantedBlock();
  }

  /** This many requested blocks may arrive although nobody counts on them any more. */
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
    if (reason !== undefined) this.misbehaves(reason);
  }
}
