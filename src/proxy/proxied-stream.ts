import type { Endpoint } from "../base/endpoint.ts";
import type { PeerAddress } from "../base/peer-address.ts";
import type { Clock, Timer } from "../ports/clock.ts";
import type { NetFailure, StreamConnection, StreamHandler } from "../ports/net.ts";
import { ProxyError } from "./proxy-error.ts";
import { Tunnel } from "./tunnel.ts";
import type { TunnelHandshake, TunnelOpen } from "./tunnel-handshake.ts";

export interface ProxiedStreamOptions {
  /** What the connection leads to, behind the proxy. */
  readonly remote: PeerAddress;
  readonly handshake: TunnelHandshake;
  readonly handler: StreamHandler;
  readonly clock: Pick<Clock, "startTimer">;
  /** Of connecting to the proxy and of all its answers. */
  readonly timeoutMs: number;
  /** Connects to the proxy. */
  readonly connect: (handler: StreamHandler) => StreamConnection;
  /** The proxy said what it uses for us. */
  readonly onOpen?: ((open: TunnelOpen) => void) | undefined;
  /** The proxy refused, or talked nonsense; `handleClose` follows. */
  readonly onError?: ((error: ProxyError) => void) | undefined;
  /** Nothing answered at the proxy's address. */
  readonly onUnreachable?: (() => void) | undefined;
}

/**
 * A stream that leads through a proxy. Its handler hears nothing of the proxy, besides the failures.
 *
 * connecting -> asking -> open -> ended; connecting, asking -> ended.
 */
export class ProxiedStream implements StreamConnection, StreamHandler {
  readonly remote: PeerAddress;
  readonly #options: ProxiedStreamOptions;
  readonly #tunnel: Tunnel;
  readonly #lower: StreamConnection;
  readonly #timer: Timer;
  #state: "connecting" | "asking" | "open" | "ended" = "connecting";
  /** Written before the tunnel is open. */
  #waiting: Uint8Array[] = [];
  /** Bytes for the proxy that the system has not taken. */
  #unsentBytes = 0;
  /** Bytes that came with the proxy's answer while reading was paused. */
  #early: Uint8Array | undefined;
  #isPaused = false;

  constructor(options: ProxiedStreamOptions) {
    this.#options = options;
    this.remote = options.remote;
    this.#tunnel = new Tunnel(options.handshake);
    this.#timer = options.clock.startTimer(options.timeoutMs, () => {
      this.#fail({ code: "ETIMEDOUT", message: `no answer in ${options.timeoutMs} ms` });
    });
    this.#lower = options.connect(this);
  }

  /** The address of this machine says nothing to those behind the proxy. */
  get local(): Endpoint | undefined {
    return undefined;
  }

  get bufferedBytes(): number {
    if (this.#state === "open") return this.#lower.bufferedBytes - this.#unsentBytes;
    return this.#waiting.reduce((sum, { length }) => sum + length, 0);
  }

  unackedBytes(): number | undefined {
    return this.#state === "open" ? this.#lower.unackedBytes() : this.bufferedBytes;
  }

  write(bytes: Uint8Array): void {
    if (this.#state === "open") this.#lower.write(bytes);
    else if (this.#state !== "ended") this.#waiting.push(bytes);
  }

  pauseReading(): void {
    this.#isPaused = true;
    if (this.#state === "open") this.#lower.pauseReading();
  }

  resumeReading(): void {
    this.#isPaused = false;
    if (this.#state !== "open") return;
    if (!this.#early) {
      this.#lower.resumeReading();
      return;
    }
    // Never inside a call of the owner.
    this.#options.clock.startTimer(0, () => {
      if (this.#isPaused || this.#state !== "open") return;
      this.#deliverEarly();
      if (!this.#isPaused) this.#lower.resumeReading();
    });
  }

  destroy(): void {
    this.#end();
  }

  // ---- What the connection to the proxy says ----------------------------------------------------------

  handleOpen(): void {
    if (this.#state !== "connecting") return;
    this.#state = "asking";
    this.#guarded(() => this.#send(this.#tunnel.begin()));
  }

  handleBytes(chunk: Uint8Array, length: number): void {
    if (this.#state === "open") this.#options.handler.handleBytes(chunk, length);
    else if (this.#state === "asking") this.#guarded(() => this.#push(chunk.slice(0, length)));
  }

  handleSent(bytes: number): void {
    const own = Math.min(bytes, this.#unsentBytes);
    this.#unsentBytes -= own;
    if (bytes > own && this.#state === "open") this.#options.handler.handleSent(bytes - own);
  }

  handleClose(failure: NetFailure | undefined): void {
    if (this.#state === "connecting") this.#options.onUnreachable?.();
    if (this.#state === "open") {
      this.#end();
      this.#options.handler.handleClose(failure);
      return;
    }
    const message = failure?.message ?? "it ended the connection";
    this.#fail({ code: failure?.code ?? "ECONNRESET", message: `the proxy: ${message}` });
  }

  #push(bytes: Uint8Array): void {
    const { send, open } = this.#tunnel.push(bytes);
    for (const part of send) this.#send(part);
    if (!open) return;
    this.#timer.cancel();
    this.#state = "open";
    if (open.early.length > 0) this.#early = open.early;
    for (const part of this.#waiting.splice(0)) this.#lower.write(part);
    if (this.#isPaused) this.#lower.pauseReading();
    this.#options.onOpen?.(open);
    this.#options.handler.handleOpen();
    if (!this.#isPaused) this.#deliverEarly();
  }

  #deliverEarly(): void {
    const early = this.#early;
    this.#early = undefined;
    if (early && this.#state === "open") this.#options.handler.handleBytes(early, early.length);
  }

  #send(bytes: Uint8Array): void {
    this.#unsentBytes += bytes.length;
    this.#lower.write(bytes);
  }

  /** What the proxy sends is its fault, and ends this connection only. */
  #guarded(work: () => void): void {
    try {
      work();
    } catch (error) {
      if (!(error instanceof ProxyError) || this.#state === "open") throw error;
      this.#options.onError?.(error);
      this.#fail({
        code: error.code === "bad-reply" ? "EPROTO" : "ECONNREFUSED",
        message: error.message,
      });
    }
  }

  #fail(failure: NetFailure): void {
    if (this.#state === "ended") return;
    this.#end();
    this.#options.handler.handleClose(failure);
  }

  #end(): void {
    if (this.#state === "ended") return;
    this.#state = "ended";
    this.#timer.cancel();
    this.#waiting = [];
    this.#early = undefined;
    this.#lower.destroy();
  }
}
