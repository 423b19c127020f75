import type { Endpoint } from "../base/endpoint.ts";
import type { PeerAddress, TransportKind } from "../base/peer-address.ts";
import type { Clock } from "../ports/clock.ts";
import type {
  DialOptions,
  ListenOptions,
  NetFailure,
  PeerTransport,
  StreamConnection,
  StreamHandler,
  StreamListener,
} from "../ports/net.ts";
import { refuse } from "./refused-stream.ts";

/**
 * Judges one connection.
 *
 * @param local - `undefined` while it is being opened.
 * @returns Why it may not be; `undefined` when it may.
 */
export type StreamJudge = (
  remote: PeerAddress,
  local: Endpoint | undefined,
) => NetFailure | undefined;

export interface GuardedTransportOptions<Kind extends TransportKind> {
  readonly lower: PeerTransport<Kind>;
  readonly judge: StreamJudge;
  /** Calls `listener` whenever the judge may judge otherwise. @returns Ends that. */
  readonly watch: (listener: () => void) => () => void;
  readonly clock: Pick<Clock, "startTimer">;
}

/**
 * A transport that some connections are kept away from, those that peers open and those that we open. The judgement may
 * change while it listens: the connections that may not be any more are closed then.
 */
export class GuardedTransport<Kind extends TransportKind> implements PeerTransport<Kind> {
  readonly kind: Kind;
  readonly #options: GuardedTransportOptions<Kind>;
  readonly #streams = new Set<GuardedStream>();

  constructor(options: GuardedTransportOptions<Kind>) {
    this.#options = options;
    this.kind = options.lower.kind;
  }

  async listen(options: ListenOptions): Promise<StreamListener> {
    const listener = await this.#options.lower.listen({
      ...options,
      accept: (lower) => {
        if (this.#options.judge(lower.remote, lower.local)) return undefined;
        const stream = new GuardedStream(this.#streams, lower);
        const handler = options.accept(stream);
        if (handler) stream.attach(handler);
        return handler && stream;
      },
    });
    const unfollow = this.follow();
    return {
      get local(): Endpoint | undefined {
        return listener.local;
      },
      close: () => {
        unfollow();
        listener.close();
      },
    };
  }

  dial(address: PeerAddress<Kind>, handler: StreamHandler, options: DialOptions): StreamConnection {
    const failure = this.#options.judge(address, undefined);
    if (failure) return refuse(this.#options.clock, address, handler, failure);
    const stream = new GuardedStream(this.#streams);
    stream.attach(handler);
    stream.lower = this.#options.lower.dial(address, stream, options);
    return stream;
  }

  /** Closes connections when the judge judges otherwise, for who does not listen. @returns Ends that. */
  follow(): () => void {
    return this.#options.watch(() => this.#recheck());
  }

  #recheck(): void {
    for (const stream of this.#streams) {
      const failure = this.#options.judge(stream.remote, stream.local);
      if (failure) stream.end(failure);
    }
  }
}

/** One connection of a guarded transport. */
class GuardedStream implements StreamConnection, StreamHandler {
  readonly #all: Set<GuardedStream>;
  #lower: StreamConnection | undefined;
  #handler: StreamHandler | undefined;

  constructor(all: Set<GuardedStream>, lower?: StreamConnection) {
    this.#all = all;
    this.#lower = lower;
  }

  set lower(lower: StreamConnection) {
    this.#lower = lower;
  }

  get remote(): PeerAddress {
    return this.#lower!.remote;
  }

  get local(): Endpoint | undefined {
    return this.#lower!.local;
  }

  get bufferedBytes(): number {
    return this.#lower!.bufferedBytes;
  }

  attach(handler: StreamHandler): void {
    this.#handler = handler;
    this.#all.add(this);
  }

  /** Ends it from our side, and says so. */
  end(failure: NetFailure): void {
    this.#lower!.destroy();
    this.handleClose(failure);
  }

  unackedBytes(): number | undefined {
    return this.#lower!.unackedBytes();
  }

  write(bytes: Uint8Array): void {
    this.#lower!.write(bytes);
  }

  pauseReading(): void {
    this.#lower!.pauseReading();
  }

  resumeReading(): void {
    this.#lower!.resumeReading();
  }

  get datagramBytesMax(): number | undefined {
    return this.#lower!.datagramBytesMax;
  }

  allowDatagrams(bytesMax: number): void {
    this.#lower!.allowDatagrams?.(bytesMax);
  }

  destroy(): void {
    this.#all.delete(this);
    this.#handler = undefined;
    this.#lower!.destroy();
  }

  handleOpen(): void {
    this.#handler?.handleOpen();
  }

  handleBytes(chunk: Uint8Array, length: number): void {
    this.#handler?.handleBytes(chunk, length);
  }

  handleSent(bytes: number): void {
    this.#handler?.handleSent(bytes);
  }

  handleClose(failure: NetFailure | undefined): void {
    this.#all.delete(this);
    const handler = this.#handler;
    this.#handler = undefined;
    handler?.handleClose(failure);
  }
}
