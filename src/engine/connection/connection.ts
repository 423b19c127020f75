import type { Endpoint } from "../../base/endpoint.ts";
import type { PeerAddress } from "../../base/peer-address.ts";
import type { Clock } from "../../ports/clock.ts";
import type { NetFailure, StreamConnection, StreamHandler } from "../../ports/net.ts";
import type { HandshakeFlags } from "../../wire/handshake.ts";
import { WireDecoder } from "../../wire/wire-decoder.ts";
import { WireError } from "../../wire/wire-error.ts";
import type { StreamDecorator, StreamEncryption } from "../stream-decorator.ts";
import { Decorations, type Decorating } from "./decorations.ts";
import { Dialogue } from "./dialogue.ts";
import { type DialledFor, Greeting, type GreetingStep } from "./greeting.ts";
import { SendBuffer } from "./send-buffer.ts";

/** Finds the torrent that an accepted connection asks for. */
export interface ConnectionGate {
  /** @returns Whether an owner adopted the connection, or a promise of it while the torrent is being woken. */
  admit(connection: Connection, infohash: Uint8Array): boolean | Promise<boolean>;
  /** An accepted connection ended before an owner adopted it. */
  handleStray(connection: Connection, reason: string): void;
}

/** The burst that an input from the world begins; its decisions are sent when it ends. */
export interface BurstBounds {
  begin(): void;
  end(): void;
}

type Stage = "connecting" | "handshake" | "waking" | "decorating" | "open" | "closed";

/**
 * One connection to one peer: its stream, the stream's decoration, the handshakes, and the messages after them
 * (`Dialogue`). It knows no torrent and no rate, and opens no socket: the stream comes from the `StreamNet` port.
 *
 * connecting -> handshake (-> decorating) -> open -> closed for peers we dial;
 * handshake (-> waking -> handshake) (-> decorating) -> open -> closed for peers that dial us; any -> closed.
 */
export class Connection extends Dialogue implements StreamHandler {
  readonly incoming: boolean;
  readonly out: SendBuffer;
  readonly #clock: Clock;
  readonly #bursts: BurstBounds;
  readonly #decorating: Decorating;
  /** The stream that it writes to: that of the port, or the decorated one on top of it. */
  #stream: StreamConnection;
  /** `undefined` while the stream is plain, which then costs nothing. */
  #decorations: Decorations | undefined;
  readonly #gate: ConnectionGate | undefined;
  readonly #greeting: Greeting;
  #stage: Stage;
  #decoder: WireDecoder | undefined;
  #misbehaved = false;
  #wasReached = false;
  #encryption: StreamEncryption | undefined;
  #onEnded: (() => void) | undefined;

  /**
   * @param options.dialled - For peers we dial. @param options.gate - For peers that dial us.
   * @param options.decorator - Both handshakes go through it.
   */
  constructor(options: {
    readonly clock: Clock;
    readonly bursts: BurstBounds;
    readonly connect: (handler: StreamHandler) => StreamConnection;
    readonly dialled?: DialledFor;
    readonly gate?: ConnectionGate;
    readonly decorating: Decorating;
    readonly decorator?: StreamDecorator | undefined;
  }) {
    super();
    this.incoming = options.gate !== undefined;
    this.#clock = options.clock;
    this.#bursts = options.bursts;
    this.#gate = options.gate;
    this.#decorating = options.decorating;
    this.#greeting = new Greeting(options.dialled);
    this.#stage = this.incoming ? "handshake" : "connecting";
    this.#stream = options.connect(this);
    this.out = new SendBuffer(this.#stream, () => this.sink?.handleGathered());
    if (options.decorator) {
      this.#startDecorating().addOuter(options.decorator);
      this.#write(this.#decorations!.top);
    }
  }

  /** @param onEnded - Called once, when the connection has ended. It may only record that. */
  watchEnd(onEnded: () => void): void {
    this.#onEnded = onEnded;
  }

  /** Where it leads, or comes from. */
  get remote(): PeerAddress {
    return this.#stream.remote;
  }

  /** Our address of it; `undefined` until it is open, and where its transport has none. */
  get local(): Endpoint | undefined {
    return this.#stream.local;
  }

  /** What the peer is to be told of the datagrams that this connection could receive (`StreamConnection`). */
  get datagramBytesMax(): number | undefined {
    return this.#stream.datagramBytesMax;
  }

  /** The peer reads datagrams of so many bytes. */
  allowDatagrams(bytesMax: number): void {
    this.#stream.allowDatagrams?.(bytesMax);
  }

  /** The features that its handshake offers. */
  get flags(): HandshakeFlags | undefined {
    return this.#greeting.flags;
  }

  /** `undefined` until its handshake is complete. */
  get peerId(): Uint8Array | undefined {
    return this.#greeting.peerId;
  }

  get isOpen(): boolean {
    return this.#stage === "open";
  }

  get extended(): boolean {
    return this.flags?.extended === true;
  }

  /** Its stream was open once, whatever became of it. */
  get wasReached(): boolean {
    return this.#wasReached;
  }

  /** `undefined` while its stream is plain. */
  get encryption(): StreamEncryption | undefined {
    return this.#encryption ?? this.#decorations?.encryption;
  }

  /** It was closed because it broke the protocol. */
  get misbehaved(): boolean {
    return this.#misbehaved;
  }

  // ---- StreamHandler ---------------------------------------------------------------------------

  handleOpen(): void {
    if (this.#stage !== "connecting") return;
    this.#stage = "handshake";
    this.#wasReached = true;
    const handshake = this.#greeting.begin();
    if (handshake) this.out.frame(handshake);
    this.out.flush();
    const behind = this.#greeting.decoratorOf(this.remote);
    if (behind) this.#decorateInner(behind);
    if (this.#decorations) this.#inBurst(() => this.#decorations!.begin());
  }

  handleBytes(chunk: Uint8Array, length: number): void {
    this.#bursts.begin();
    try {
      if (this.#decorations) this.#decorations.feed(chunk, length);
      else this.#take(chunk, length);
      if (this.#decorations) this.#takeDecorated(this.#decorations);
    } catch (error) {
      this.#handleError(error);
    }
    this.#settle();
    this.#bursts.end();
  }

  handleSent(bytes: number): void {
    this.#bursts.begin();
    const freed = this.#decorations ? this.#decorations.handleSent(bytes) : bytes;
    this.out.handleSent(freed, this.#clock.nowMs());
    if (this.#decorations) this.#dropNeedless(this.#decorations);
    this.sink?.handleSent();
    this.#settle();
    this.#bursts.end();
  }

  /** An event other than arriving bytes that may have the same consequences. */
  #inBurst(part: () => void): void {
    this.#bursts.begin();
    try {
      part();
      if (this.#decorations) this.#takeDecorated(this.#decorations);
    } catch (error) {
      this.#handleError(error);
    }
    this.#settle();
    this.#bursts.end();
  }

  #handleError(error: unknown): void {
    if (error instanceof WireError) {
      this.misbehaves(error.message);
      return;
    }
    this.#bursts.end();
    throw error;
  }

  #settle(): void {
    if (this.sink) this.sink.settle();
    else this.out.flush();
  }

  handleClose(failure: NetFailure | undefined): void {
    this.#bursts.begin();
    this.#end(failure ? failure.message : "the peer closed the connection", false);
    this.#bursts.end();
  }

  // ---- Ending ----------------------------------------------------------------------------------

  /**
   * Ends the connection from our side. It delivers nothing more, and the consequences for others follow when the burst
   * is over, so it may be called from anywhere. It does nothing when the connection has ended.
   */
  close(reason: string): void {
    this.#end(reason, true);
  }

  protected misbehaves(reason: string): void {
    this.#misbehaved = true;
    this.close(reason);
  }

  #end(reason: string, destroy: boolean): void {
    if (this.#stage === "closed") return;
    this.#stage = "closed";
    this.#decoder?.stop();
    if (destroy) this.#stream.destroy();
    this.#decorations?.end();
    this.out.close();
    if (this.sink) this.sink.handleClosed(reason, destroy);
    else this.#gate?.handleStray(this, reason);
    this.#onEnded?.();
  }

  // ---- Handshake -------------------------------------------------------------------------------

  #take(chunk: Uint8Array, length: number): void {
    if (this.#stage === "closed" || this.#stage === "connecting") return;
    this.noteReceived(this.#clock.nowMs());
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
        this.#handleGreeted(step.rest);
        break;
      case "refused":
        this.close(step.reason);
        break;
    }
  }

  #findOwner(infohash: Uint8Array, rest: Uint8Array): void {
    if (this.#decorations?.agreesWith(infohash) === false) {
      this.close("asks for another torrent than it has negotiated about");
      return;
    }
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

  /** Its torrent is awake, or does not exist. */
  #handleAwake(infohash: Uint8Array): void {
    if (this.#stage !== "waking") return;
    this.#stage = "handshake";
    this.#inBurst(() => {
      if (!this.#answer(infohash)) return;
      this.#stream.resumeReading();
      const held = this.#greeting.takeHeld();
      this.#take(held, held.length);
    });
  }

  /** @returns Whether an owner took the connection; otherwise it is closed. */
  #answer(infohash: Uint8Array): boolean {
    const owner = this.sink?.owner;
    if (!owner) {
      this.close("asked for a torrent that is not here");
      return false;
    }
    const answer = this.#greeting.answer(owner, infohash);
    const behind = this.#greeting.decoratorOf(this.remote);
    if (behind) this.#decorateInner(behind, answer);
    else this.out.frame(answer);
    return true;
  }

  #handleGreeted(rest: Uint8Array): void {
    if (this.#decorations?.hasInner === true) {
      this.#stage = "decorating";
      this.#decorations.turnInward(rest);
    } else {
      this.#open();
      // A closed connection accepts nothing.
      this.#decoder!.feed(rest, rest.length);
    }
  }

  #open(): void {
    this.#stage = "open";
    const { bounds, owner } = this.sink!;
    const fast = this.flags?.fast === true && owner.flags.fast;
    const openEnded = this.beginTalk(fast);
    this.#decoder = new WireDecoder(this, {
      fast,
      v2: this.flags?.v2 === true,
      bounds,
      openEnded,
    });
    const refusal = this.sink!.handleReady();
    if (refusal !== undefined) this.close(refusal);
  }

  // ---- Decorating ------------------------------------------------------------------------------

  #startDecorating(): Decorations {
    this.#decorations ??= new Decorations({
      ...this.#decorating,
      bottom: this.#stream,
      clock: this.#clock,
      onStep: (outcome) => this.#inBurst(outcome),
      close: (reason) => this.close(reason),
    });
    return this.#decorations;
  }

  /** @param answer - Our handshake, if it is to go out with the decorator's first bytes. */
  #decorateInner(decorator: StreamDecorator, answer?: Uint8Array): void {
    const decorations = this.#startDecorating();
    decorations.addInner(decorator, answer);
    this.#write(decorations.top);
  }

  #takeDecorated(decorations: Decorations): void {
    for (let part = decorations.next(); ; part = decorations.next()) {
      if (this.#stage === "decorating" && decorations.isReady) this.#open();
      if (!part) break;
      this.#take(part, part.length);
    }
    if (decorations.refusal !== undefined) this.close(decorations.refusal);
    this.#dropNeedless(decorations);
  }

  /** From now on the stream is as plain as if it had never been decorated. */
  #dropNeedless(decorations: Decorations): void {
    if (this.#stage === "closed" || !decorations.isNeedless) return;
    this.#encryption = decorations.encryption;
    this.#decorations = undefined;
    this.#write(decorations.bottom);
  }

  #write(stream: StreamConnection): void {
    this.#stream = stream;
    this.out.writeTo(stream);
  }
}
