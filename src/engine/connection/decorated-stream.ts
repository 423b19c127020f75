import { concatBytes } from "../../base/bytes.ts";
import { invariant } from "../../base/errors.ts";
import type { Log } from "../../ports/log.ts";
import type { StreamConnection } from "../../ports/net.ts";
import { WireError } from "../../wire/wire-error.ts";
import type {
  DecoratorStep,
  DecoratorWire,
  StreamCipher,
  StreamDecorator,
  StreamEncryption,
} from "../stream-decorator.ts";

/** The most bytes that a cipher is given at once. */
const ENCODE_BYTES = 64 * 1024;
/**
 * The most encoded bytes that the system has not accepted: a decorated connection holds these in addition to the memory
 * it was lent, which it keeps until they leave. Bytes above that are not encoded yet.
 */
const ENCODED_BYTES_MAX = 3 * ENCODE_BYTES;
/** Received and not consumed during the negotiation: the longest messages have a length of 16 bits. */
const NEGOTIATION_BYTES_MAX = 128 * 1024;

const NOTHING = new Uint8Array(0);

/** A run of bytes in the stream below that the system has not accepted. */
interface Run {
  /** The number of the connection's bytes that it represents and that were not reported yet. */
  plain: number;
  left: number;
  /** It holds the connection's bytes unchanged: each counts as it leaves. */
  readonly isPlain: boolean;
  /** Memory of the cipher, which gets it back. */
  readonly encoded?: Uint8Array | undefined;
}

type State = "idle" | "negotiating" | "working" | "ready" | "ended";

/**
 * A stream on top of another that goes through a decorator. It is written to and read from like any stream, and counts
 * bytes as they were written: `handleSent` says how many of those have left. Lent memory is returned when the system
 * has accepted the encoded form.
 *
 * idle -> negotiating (<-> working) -> ready; any -> ended.
 */
export class DecoratedStream implements StreamConnection, DecoratorWire {
  readonly #lower: StreamConnection;
  readonly #decorator: StreamDecorator;
  readonly #onStep: (outcome: () => void) => void;
  readonly #log: Log;
  #state: State = "idle";
  #refusal: string | undefined;
  #infohash: Uint8Array | undefined;
  #encryption: StreamEncryption | undefined;
  #cipher: StreamCipher | undefined;
  /** Sent before anything else that the decorator sends. */
  #held: Uint8Array | undefined;
  /** Received during the negotiation. */
  #received = NOTHING;
  #receivedBytes = 0;
  /** Bytes arrived while the decorator was working. */
  #hasMore = false;
  #early: Uint8Array | undefined;
  /** Received after a negotiation that left the stream plain: a view. */
  #plain: Uint8Array | undefined;
  /** Written and not encoded yet, oldest first. */
  readonly #waiting: Uint8Array[] = [];
  readonly #runs: Run[] = [];
  #encodedBytes = 0;
  #bufferedBytes: number;
  /** Taken by the decorator for its next message. */
  #takenBytes = 0;
  #isPaused = false;

  /**
   * @param options.held - Our own bytes, sent before the decorator's first bytes, at the latest when it is ready: a
   *   peer that cannot negotiate gets no answer.
   * @param options.onStep - A promise of the decorator has an outcome; treat it as an event from the world.
   */
  constructor(options: {
    readonly lower: StreamConnection;
    readonly decorator: StreamDecorator;
    readonly held?: Uint8Array | undefined;
    readonly onStep: (outcome: () => void) => void;
    readonly log: Log;
  }) {
    this.#lower = options.lower;
    this.#decorator = options.decorator;
    this.#held = options.held;
    this.#onStep = options.onStep;
    this.#log = options.log;
    // Bytes written before go out unchanged.
    this.#bufferedBytes = options.lower.bufferedBytes;
    if (this.#bufferedBytes > 0) this.#note(this.#bufferedBytes, this.#bufferedBytes, true);
  }

  get remote(): StreamConnection["remote"] {
    return this.#lower.remote;
  }

  get local(): StreamConnection["local"] {
    return this.#lower.local;
  }

  get bufferedBytes(): number {
    return this.#bufferedBytes;
  }

  get isReady(): boolean {
    return this.#state === "ready";
  }

  /** The reason why the decorator closes the connection. */
  get refusal(): string | undefined {
    return this.#refusal;
  }

  /** The infohash that was negotiated; the peer's handshake may name no other. */
  get infohash(): Uint8Array | undefined {
    return this.#infohash;
  }

  /** What people are told of it. */
  get encryption(): StreamEncryption | undefined {
    return this.#encryption;
  }

  /** It changes nothing and has nothing pending any more: the stream below may be used instead. */
  get isNeedless(): boolean {
    if (this.#state !== "ready" || this.#cipher || this.#early || this.#plain) return false;
    return this.#runs.every(({ isPlain }) => isPlain);
  }

  /** Bytes that a cipher adds count as unacknowledged while they are in transit. */
  unackedBytes(): number | undefined {
    const below = this.#lower.unackedBytes();
    if (below === undefined) return undefined;
    let waiting = this.#takenBytes;
    for (const bytes of this.#waiting) waiting += bytes.length;
    return waiting + below;
  }

  write(bytes: Uint8Array): void {
    if (this.#state === "ended" || bytes.length === 0) return;
    this.#bufferedBytes += bytes.length;
    this.#waiting.push(bytes);
    this.#encode();
  }

  pauseReading(): void {
    this.#isPaused = true;
    this.#lower.pauseReading();
  }

  resumeReading(): void {
    this.#isPaused = false;
    if (this.#state !== "working") this.#lower.resumeReading();
  }

  get datagramBytesMax(): number | undefined {
    return this.#lower.datagramBytesMax;
  }

  allowDatagrams(bytesMax: number): void {
    this.#lower.allowDatagrams?.(bytesMax);
  }

  destroy(): void {
    this.#lower.destroy();
  }

  /** The connection has ended. */
  end(): void {
    if (this.#state === "ended") return;
    this.#state = "ended";
    this.#waiting.length = 0;
    this.#decorator.handleEnd?.();
  }

  /** @returns How many written bytes are free now that the stream below has sent this many. */
  handleSent(bytes: number): number {
    let freed = 0;
    while (bytes > 0) {
      const run = this.#runs[0];
      invariant(run !== undefined, "only what was written leaves");
      const left = Math.min(bytes, run.left);
      bytes -= left;
      run.left -= left;
      if (!run.isPlain) this.#encodedBytes -= left;
      const free = run.isPlain ? left : run.left === 0 ? run.plain : 0;
      run.plain -= free;
      freed += free;
      if (run.left > 0) continue;
      this.#runs.shift();
      if (run.encoded) this.#cipher?.handleLeft?.(run.encoded);
    }
    this.#bufferedBytes -= freed;
    this.#encode();
    return freed;
  }

  // ---- Negotiating -----------------------------------------------------------------------------------

  /** Lets the decorator send first. */
  begin(): void {
    if (this.#state === "idle") this.#negotiate();
  }

  /**
   * Takes bytes that arrived. `next` returns the decoded bytes.
   *
   * @throws {WireError}
   */
  feed(chunk: Uint8Array, length: number): void {
    switch (this.#state) {
      case "ready":
        if (this.#cipher) this.#cipher.feed(chunk, length);
        else this.#plain = chunk.subarray(0, length);
        break;
      case "working":
        this.#hold(chunk, length);
        this.#hasMore = true;
        break;
      case "idle":
      case "negotiating":
        this.#hold(chunk, length);
        this.#negotiate();
        break;
      case "ended":
        break;
    }
  }

  /**
   * @returns Bytes for the connection, valid until the next call.
   * @throws {WireError}
   */
  next(): Uint8Array | undefined {
    if (this.#state !== "ready") return undefined;
    const early = this.#early;
    this.#early = undefined;
    if (early) return early;
    if (this.#cipher) return this.#cipher.next();
    const plain = this.#plain;
    this.#plain = undefined;
    return plain;
  }

  #negotiate(): void {
    this.#hasMore = false;
    this.#state = "negotiating";
    const received = this.#received.subarray(0, this.#receivedBytes);
    const step = this.#decorator.negotiate(received, this);
    if (!(step instanceof Promise)) {
      this.#follow(step);
      return;
    }
    this.#state = "working";
    this.#lower.pauseReading();
    step.then(
      (outcome) => this.#onStep(() => this.#wake(outcome)),
      (error: unknown) => this.#onStep(() => this.#handleFailure(error)),
    );
  }

  #wake(step: DecoratorStep): void {
    if (this.#state !== "working") return;
    this.#state = "negotiating";
    if (!this.#isPaused) this.#lower.resumeReading();
    this.#follow(step);
  }

  #handleFailure(error: unknown): void {
    if (this.#state !== "working") return;
    if (error instanceof WireError) throw error;
    this.#log.error("a stream could not be decorated", { error: String(error) });
    this.#refusal = "its stream could not be decorated";
  }

  #follow(step: DecoratorStep): void {
    // A decorator that sent something may thereby have ended its own connection.
    if (this.#state === "ended") return;
    switch (step.kind) {
      case "refused":
        this.#refusal = step.reason;
        break;
      case "more":
        this.#consume(step.consumed);
        if (this.#receivedBytes > NEGOTIATION_BYTES_MAX)
          throw new WireError("bad-decoration", "the negotiation has no end");
        // What it left may be enough for its next step: a peer may have sent everything at once.
        if (this.#hasMore || (step.consumed > 0 && this.#receivedBytes > 0)) this.#negotiate();
        break;
      case "ready":
        this.#beReady(step);
        break;
    }
  }

  #beReady(step: DecoratorStep & { readonly kind: "ready" }): void {
    this.#consume(step.consumed);
    this.#infohash = step.infohash;
    this.#encryption = step.encryption;
    this.#cipher = step.cipher;
    if (step.early !== undefined && step.early.length > 0) this.#early = step.early;
    this.#state = "ready";
    this.#sendHeld();
    this.#encode();
    const rest = this.#received.subarray(0, this.#receivedBytes);
    this.#received = NOTHING;
    if (rest.length > 0) this.feed(rest, rest.length);
  }

  #hold(chunk: Uint8Array, length: number): void {
    const needed = this.#receivedBytes + length;
    if (needed > this.#received.length) {
      const grown = new Uint8Array(Math.max(needed, 2 * this.#received.length));
      grown.set(this.#received.subarray(0, this.#receivedBytes));
      this.#received = grown;
    }
    this.#received.set(chunk.subarray(0, length), this.#receivedBytes);
    this.#receivedBytes = needed;
  }

  #consume(bytes: number): void {
    invariant(bytes <= this.#receivedBytes, "a decorator consumes what came");
    this.#received.copyWithin(0, bytes, this.#receivedBytes);
    this.#receivedBytes -= bytes;
  }

  send(bytes: Uint8Array): void {
    if (this.#state === "ended" || bytes.length === 0) return;
    this.#sendHeld();
    const plain = this.#takenBytes;
    this.#takenBytes = 0;
    this.#note(plain, bytes.length, false);
    this.#lower.write(bytes);
  }

  takeWritten(bytesMax: number): Uint8Array {
    const parts: Uint8Array[] = [];
    let taken = 0;
    while (taken < bytesMax && this.#waiting.length > 0) {
      const part = this.#takeWaiting(bytesMax - taken);
      parts.push(part);
      taken += part.length;
    }
    this.#takenBytes += taken;
    return concatBytes(parts);
  }

  #sendHeld(): void {
    const held = this.#held;
    if (!held) return;
    this.#held = undefined;
    this.#note(0, held.length, false);
    this.#lower.write(held);
  }

  // ---- Encoding --------------------------------------------------------------------------------------

  #encode(): void {
    if (this.#state !== "ready") return;
    while (this.#waiting.length > 0 && this.#encodedBytes <= ENCODED_BYTES_MAX - ENCODE_BYTES) {
      const cipher = this.#cipher;
      const part = this.#takeWaiting(cipher ? ENCODE_BYTES : Number.POSITIVE_INFINITY);
      const encoded = cipher?.encode(part);
      const bytes = encoded ?? part;
      this.#note(part.length, bytes.length, !cipher, encoded);
      this.#lower.write(bytes);
    }
  }

  #takeWaiting(bytesMax: number): Uint8Array {
    const first = this.#waiting[0]!;
    const part = first.subarray(0, bytesMax);
    if (part.length === first.length) this.#waiting.shift();
    else this.#waiting[0] = first.subarray(part.length);
    return part;
  }

  #note(plain: number, left: number, isPlain: boolean, encoded?: Uint8Array): void {
    this.#runs.push({ plain, left, isPlain, encoded });
    if (!isPlain) this.#encodedBytes += left;
  }
}
