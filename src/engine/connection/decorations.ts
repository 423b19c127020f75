import { equalBytes } from "../../base/bytes.ts";
import type { Clock, Timer } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";
import type { StreamConnection } from "../../ports/net.ts";
import type { StreamDecorator } from "../stream-decorator.ts";
import { DecoratedStream } from "./decorated-stream.ts";

/** What decorators of a session have in common. */
export interface Decorating {
  /** How long one may negotiate. */
  readonly timeoutMs: number;
  readonly log: Log;
}

interface DecorationsOptions extends Decorating {
  /** The stream of the port. */
  readonly bottom: StreamConnection;
  readonly clock: Clock;
  /** A decorator's work has an outcome, to be taken as an event from the world. */
  readonly onStep: (outcome: () => void) => void;
  /** Called by a timer. */
  readonly close: (reason: string) => void;
}

/**
 * What lies between a stream and its connection: at most one decorator that both handshakes go through, the outer one,
 * and at most one for the messages behind them, the inner one. A connection has none of this while its stream is plain.
 */
export class Decorations {
  readonly #options: DecorationsOptions;
  #outer: DecoratedStream | undefined;
  #inner: DecoratedStream | undefined;
  /** The peer's handshake has come: what follows goes through the inner one. */
  #isInward = false;
  /** Received without an outer one: a view. */
  #received: Uint8Array | undefined;
  #deadline: Timer | undefined;

  constructor(options: DecorationsOptions) {
    this.#options = options;
  }

  get bottom(): StreamConnection {
    return this.#options.bottom;
  }

  /** What the connection writes to. */
  get top(): StreamConnection {
    return this.#inner ?? this.#outer ?? this.bottom;
  }

  get hasInner(): boolean {
    return this.#inner !== undefined;
  }

  get isReady(): boolean {
    return this.#outer?.isReady !== false && this.#inner?.isReady !== false;
  }

  /** Why a decorator closes the connection. */
  get refusal(): string | undefined {
    return this.#outer?.refusal ?? this.#inner?.refusal;
  }

  /** None of them changes anything any more. */
  get isNeedless(): boolean {
    if (this.#received || this.#outer?.isNeedless === false) return false;
    // One below another stays: the way through both is short, and seldom taken.
    return this.#inner === undefined || (!this.#outer && this.#isInward && this.#inner.isNeedless);
  }

  /** The peer asks for what was negotiated about, or nothing was. */
  agreesWith(infohash: Uint8Array): boolean {
    const negotiated = this.#outer?.infohash;
    return negotiated === undefined || equalBytes(negotiated, infohash);
  }

  /** Both handshakes go through it. */
  addOuter(decorator: StreamDecorator): void {
    this.#outer = this.#layOn(this.bottom, decorator, undefined);
  }

  /**
   * What is written from now on goes through it.
   *
   * @param held - Our handshake, if it is to go out with the decorator's first word.
   */
  addInner(decorator: StreamDecorator, held: Uint8Array | undefined): void {
    this.#inner = this.#layOn(this.#outer ?? this.bottom, decorator, held);
  }

  /** The stream to a peer that we dialled is open, and our handshake is written. */
  begin(): void {
    this.#outer?.begin();
    this.#inner?.begin();
  }

  /**
   * The peer's handshake is whole.
   *
   * @param rest - What came behind it.
   */
  turnInward(rest: Uint8Array): void {
    this.#isInward = true;
    if (rest.length > 0) this.#inner!.feed(rest, rest.length);
    else this.#inner!.begin();
  }

  /**
   * Takes bytes that arrived. `next` gives what they become.
   *
   * @throws {WireError} As all that takes bytes.
   */
  feed(chunk: Uint8Array, length: number): void {
    if (this.#outer) this.#outer.feed(chunk, length);
    else this.#received = chunk.subarray(0, length);
  }

  /** @returns Bytes for the connection, valid until the next call. */
  next(): Uint8Array | undefined {
    const part = this.#nextPart();
    if (this.#deadline && this.isReady) this.#cancelDeadline();
    return part;
  }

  /** @returns How many bytes that the connection wrote are free now that the stream got rid of so many. */
  handleSent(bytes: number): number {
    const outer = this.#outer ? this.#outer.handleSent(bytes) : bytes;
    return this.#inner ? this.#inner.handleSent(outer) : outer;
  }

  /** The connection has ended. */
  end(): void {
    this.#cancelDeadline();
    this.#outer?.end();
    this.#inner?.end();
  }

  #nextPart(): Uint8Array | undefined {
    for (;;) {
      const inner = this.#isInward ? this.#inner : undefined;
      const part = inner?.next();
      if (part) return part;
      const below = this.#nextOuter();
      if (!below || !inner) return below;
      inner.feed(below, below.length);
    }
  }

  #nextOuter(): Uint8Array | undefined {
    if (this.#outer) return this.#outer.next();
    const received = this.#received;
    this.#received = undefined;
    return received;
  }

  #layOn(
    lower: StreamConnection,
    decorator: StreamDecorator,
    held: Uint8Array | undefined,
  ): DecoratedStream {
    const { clock, timeoutMs, close, onStep, log } = this.#options;
    this.#deadline ??= clock.startTimer(timeoutMs, () => {
      close("its stream was not decorated in time");
    });
    return new DecoratedStream({ lower, decorator, held, onStep, log });
  }

  #cancelDeadline(): void {
    this.#deadline?.cancel();
    this.#deadline = undefined;
  }
}
