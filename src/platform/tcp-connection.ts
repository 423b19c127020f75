import net from "node:net";
import { concatBytes } from "../base/bytes.ts";
import type { Endpoint } from "../base/endpoint.ts";
import { type EndpointAddress, tcpAddress } from "../base/peer-address.ts";
import type { NetFailure, StreamConnection, StreamHandler } from "../ports/net.ts";
import { openEndpoint, toNetFailure } from "./socket-address.ts";
import type { TcpSendQueues } from "./tcp-send-queues.ts";

/** Adjacent buffers up to this size are copied together; larger ones are sent in place. */
const SMALL_WRITE_BYTES = 4096;
/**
 * Bytes handed to the operating system at once: as many as it took lately, within these bounds. A
 * slow peer's buffers come back in small parts, and a fast peer gets large writes.
 */
const FLUSH_BYTES_MIN = 64 * 1024;
const FLUSH_BYTES_MAX = 1024 * 1024;
const FLUSH_MS = 250;

/**
 * One TCP connection. connecting -> open -> closed; an accepted one starts open. Everything written
 * in one turn of the event loop leaves in one system call, and while the kernel's buffer is full
 * the data waits here, uncopied.
 */
export class TcpConnection implements StreamConnection {
  readonly remote: EndpointAddress<"tcp">;
  readonly #receiveBuffer: Buffer | undefined;
  readonly #sendQueues: TcpSendQueues;
  #local: Endpoint | undefined;
  #socket: net.Socket | undefined;
  #handler: StreamHandler | undefined;
  #open = false;
  #closed = false;
  #failure: NetFailure | undefined;
  #connectTimer: NodeJS.Timeout | undefined;
  #readingPaused = false;
  #queue: Uint8Array[] = [];
  #queuedBytes = 0;
  #sendingBytes = 0;
  #flushPlanned = false;
  /** Bytes taken since `#takenSinceMs`, and in the period before that. */
  #taken = 0;
  #takenBefore = 0;
  #takenSinceMs = 0;

  /** @param receiveBuffer - Shared by all connections; without it Node allocates for each read. */
  constructor(remote: Endpoint, receiveBuffer: Buffer | undefined, sendQueues: TcpSendQueues) {
    this.remote = tcpAddress(remote);
    this.#sendQueues = sendQueues;
    this.#receiveBuffer = receiveBuffer;
  }

  get local(): Endpoint | undefined {
    return this.#local;
  }

  get bufferedBytes(): number {
    return this.#queuedBytes + this.#sendingBytes;
  }

  unackedBytes(): number | undefined {
    if (!this.#local) return this.bufferedBytes;
    const system = this.#sendQueues.look(this.#local, this.remote.endpoint);
    const waiting = this.#sendingBytes === 0 ? 0 : writeQueueBytes(this.#socket);
    if (system === undefined || waiting === undefined) return undefined;
    return this.#queuedBytes + waiting + system;
  }

  /** Sends events to this handler from now on. */
  attach(handler: StreamHandler): void {
    this.#handler = handler;
  }

  /** @param localAddress - Where it leaves from; the system chooses when it is left out. */
  connect(timeoutMs: number, localAddress?: string): void {
    const socket = new net.Socket(this.#readOptions());
    this.#watch(socket, this.#receiveBuffer !== undefined);
    socket.once("connect", () => {
      clearTimeout(this.#connectTimer);
      socket.setNoDelay(true);
      this.#opened(socket);
      if (this.#readingPaused) socket.pause();
      this.#handler?.handleOpen();
      this.#planFlush();
    });
    this.#connectTimer = setTimeout(() => {
      this.#close({ code: "ETIMEDOUT", message: `no answer in ${timeoutMs} ms` });
    }, timeoutMs);
    const { address: host, port } = this.remote.endpoint;
    const leavesFrom = localAddress === undefined ? {} : { localAddress };
    socket.connect({ host, port, autoSelectFamily: false, ...leavesFrom });
  }

  /** Takes over a socket from a server with `pauseOnConnect`, and starts to read. */
  adopt(accepted: net.Socket): void {
    const buffered = this.#receiveBuffer && withReadBuffer(accepted, this.#readOptions());
    const socket = buffered ?? accepted;
    this.#watch(socket, buffered !== undefined);
    this.#opened(socket);
    socket.resume();
  }

  /** Fails before connecting; the handler is called later. */
  refuse(failure: NetFailure): void {
    process.nextTick(() => this.#close(failure));
  }

  write(bytes: Uint8Array): void {
    if (this.#closed || bytes.length === 0) return;
    this.#queue.push(bytes);
    this.#queuedBytes += bytes.length;
    if (this.#open) this.#planFlush();
  }

  pauseReading(): void {
    this.#readingPaused = true;
    if (this.#open) this.#socket?.pause();
  }

  resumeReading(): void {
    this.#readingPaused = false;
    if (this.#open) this.#socket?.resume();
  }

  destroy(): void {
    this.#handler = undefined;
    this.#close(undefined);
  }

  #readOptions(): net.SocketConstructorOpts {
    const buffer = this.#receiveBuffer;
    if (!buffer) return {};
    const callback = (length: number): boolean => {
      this.#received(buffer, length);
      return true;
    };
    return { onread: { buffer, callback } };
  }

  #watch(socket: net.Socket, buffered: boolean): void {
    this.#socket = socket;
    if (!buffered) {
      socket.on("data", (chunk: Buffer) => this.#received(chunk, chunk.length));
    }
    socket.on("error", (error) => {
      this.#failure = toNetFailure(error);
    });
    // A peer that closed its side will not answer any more, so a half-open connection is useless.
    socket.on("end", () => this.#close(undefined));
    socket.on("close", () => this.#close(this.#failure));
  }

  #opened(socket: net.Socket): void {
    this.#open = true;
    const { localAddress: address, localPort: port } = socket;
    if (address !== undefined && port !== undefined) this.#local = openEndpoint({ address, port });
  }

  #received(chunk: Uint8Array, length: number): void {
    this.#handler?.handleBytes(chunk, length);
  }

  #close(failure: NetFailure | undefined): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#open = false;
    clearTimeout(this.#connectTimer);
    this.#queue = [];
    this.#queuedBytes = 0;
    this.#sendingBytes = 0;
    this.#socket?.destroy();
    const handler = this.#handler;
    this.#handler = undefined;
    handler?.handleClose(failure);
  }

  #planFlush(): void {
    if (this.#flushPlanned || this.#sendingBytes > 0 || this.#queuedBytes === 0) return;
    this.#flushPlanned = true;
    process.nextTick(() => {
      this.#flushPlanned = false;
      this.#flush();
    });
  }

  #flush(): void {
    const socket = this.#socket;
    if (this.#closed || !socket || this.#sendingBytes > 0) return;
    const chunks = this.#takeChunks();
    const last = chunks.pop();
    if (!last) return;
    const sent = (error?: Error | null): void => {
      if (error || this.#closed) return;
      const bytes = this.#sendingBytes;
      this.#sendingBytes = 0;
      this.#countTaken(bytes);
      this.#handler?.handleSent(bytes);
      this.#planFlush();
    };
    if (chunks.length > 0) socket.cork();
    for (const chunk of chunks) socket.write(chunk);
    socket.write(last, sent);
    if (chunks.length > 0) socket.uncork();
  }

  #countTaken(bytes: number): void {
    const now = performance.now();
    const elapsedMs = now - this.#takenSinceMs;
    if (elapsedMs >= FLUSH_MS) {
      this.#takenBefore = elapsedMs < 2 * FLUSH_MS ? this.#taken : 0;
      this.#taken = 0;
      this.#takenSinceMs = now;
    }
    this.#taken += bytes;
  }

  get #flushBytes(): number {
    const taken = Math.max(this.#taken, this.#takenBefore);
    return Math.min(FLUSH_BYTES_MAX, Math.max(FLUSH_BYTES_MIN, taken));
  }

  /**
   * Takes up to one flush, and at least one buffer, from the queue; joins small adjacent buffers.
   */
  #takeChunks(): Uint8Array[] {
    const chunks: Uint8Array[] = [];
    let small: Uint8Array[] = [];
    const joinSmall = (): void => {
      if (small.length > 0) chunks.push(small.length === 1 ? small[0]! : concatBytes(small));
      small = [];
    };
    let taken = 0;
    const flushBytes = this.#flushBytes;
    while (taken < this.#queue.length) {
      const bytes = this.#queue[taken]!;
      if (taken > 0 && this.#sendingBytes + bytes.length > flushBytes) break;
      taken += 1;
      this.#sendingBytes += bytes.length;
      if (bytes.length <= SMALL_WRITE_BYTES) {
        small.push(bytes);
      } else {
        joinSmall();
        chunks.push(bytes);
      }
    }
    joinSmall();
    this.#queue = taken === this.#queue.length ? [] : this.#queue.slice(taken);
    this.#queuedBytes -= this.#sendingBytes;
    return chunks;
  }
}

/**
 * Bytes of the pending write that the system has not taken; `undefined` when this Node keeps them
 * elsewhere.
 */
function writeQueueBytes(socket: net.Socket | undefined): number | undefined {
  const { _handle: handle } = (socket ?? {}) as { _handle?: { writeQueueSize?: unknown } | null };
  return typeof handle?.writeQueueSize === "number" ? handle.writeQueueSize : undefined;
}

/**
 * Node lets only sockets that it connects itself read into a given buffer. So the accepted socket's
 * handle moves to a new socket that has one, and the old socket is left empty.
 *
 * @returns `undefined` when this Node keeps its handles elsewhere: use ordinary events then.
 */
export function withReadBuffer(
  accepted: net.Socket,
  options: net.SocketConstructorOpts,
): net.Socket | undefined {
  const holder: { _handle?: unknown } = accepted as unknown as { _handle?: unknown };
  const handle = holder._handle;
  if (typeof handle !== "object" || handle === null || !("useUserBuffer" in handle))
    return undefined;
  holder._handle = null;
  const withHandle: object = { ...options, handle, manualStart: true };
  const adopted = new net.Socket(withHandle);
  accepted.destroy();
  return adopted;
}
