import { equalBytes } from "../../base/bytes.ts";
import type { Clock, Timer } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";
import type { StreamConnection } from "../../ports/net.ts";
import type { StreamDecorator, StreamEncryption } from "../stream-decorator.ts";
import { DecoratedStream } from "./decorated-stream.ts";

/** What the decorators of a session share. */
export interface Decorating {
  /** The longest time for a negotiation. */
  readonly timeoutMs: number;
  readonly log: Log;
}

interface DecorationsOptions extends Decorating {
  /** The stream of the port. */
  readonly bottom: StreamConnection;
  readonly clock: Clock;
  /** A decorator's work has an outcome; treat it as an event from the world. */
  readonly onStep: (outcome: () => void) => void;
  /** Called by a timer. */
  readonly close: (reason: string) => void;
}

/**
 * The decorators between a stream and its connection: at most one that both handshakes go through, the outer one, and
 * at most one for the messages after them, the inner one. A connection with a plain stream has none of this.
 */
export class Decorations {
  readonly #options: DecorationsOptions;
  #outer: DecoratedStream | undefined;
  #inner: DecoratedStream | undefined;
  /** The peer's handshake has arrived: later bytes go through the inner one. */
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

  /** The stream that the connection writes to. */
  get top(): StreamConnection {
    return this.#inner ?? this.#outer ?? this.bottom;
  }

  get hasInner(): boolean {
    return this.#inner !== undefined;
  }

  get isReady(): boolean {
    return this.#outer?.isReady !== false && this.#inner?.isReady !== false;
  }

  /** The reason why a decorator closes the connection. */
  get refusal(): string | undefined {
    return this.#outer?.refusal ?? this.#inner?.refusal;
  }

  /** What people are told of the stream. */
  get encryption(): StreamEncryption | undefined {
    return this.#outer?.encryption ?? this.#inner?.encryption;
  }

  /** None of them changes anything any more. */
  get isNeedless(): boolean {
    if (this.#received || this.#outer?.isNeedless === false) return false;
    // A needless one below another stays: the way through both is short, and rarely used.
    return this.#inner === undefined || (!this.#outer && this.#isInward && this.#inner.isNeedless);
  }

  /** Whether the peer asks for the infohash that was negotiated, or none was negotiated. */
  agreesWith(infohash: Uint8Array): boolean {
    const negotiated = this.#outer?.infohash;
    return negotiated === undefined || equalBytes(negotiated, infohash);
  }

  /** Adds the outer decorator, which both handshakes go through. */
  addOuter(decorator: StreamDecorator): void {
    this.#outer = this.#layOn(this.bottom, decorator, undefined);
  }

  /**
   * Adds the inner decorator, which everything written from now on goes through.
   *
   * @param held - Our handshake, if it is to go out with the decorator's first bytes.
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
   * The peer's handshake is complete.
   *
   * @param rest - The bytes after it.
   */
  turnInward(rest: Uint8Array): void {
    this.#isInward = true;
    if (rest.length > 0) this.#inner!.feed(rest, rest.length);
    else this.#inner!.begin();
  }

  /**
   * Takes bytes that arrived. `next` returns the decoded bytes.
   *
   * @throws {WireError} Like every method that takes bytes.
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

  /** @returns How many of the connection's written bytes are free now that the stream has sent this many. */
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
