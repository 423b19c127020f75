import type { Endpoint } from "../base/endpoint.ts";
import type { PeerAddress } from "../base/peer-address.ts";
import type { NetFailure, StreamConnection, StreamHandler } from "../ports/net.ts";
import type { Simulation } from "./simulation.ts";

/** Bytes that a line carries for one connection before the next one gets its turn. */
const SEGMENT_BYTES = 16 * 1024;
/**
 * Received bytes that the application has not read. When the buffer is full, sending resumes once
 * half of it is free.
 */
const RECEIVE_BUFFER_BYTES = 256 * 1024;
/** Bytes written at once, like the real stream for a fast connection. */
const FLUSH_BYTES = 1024 * 1024;
/**
 * Unacknowledged bytes that the system takes: as many as were acknowledged in the last half second,
 * within these bounds.
 */
const SEND_BUFFER_BYTES_MIN = 128 * 1024;
const SEND_BUFFER_BYTES_MAX = 4 * 1024 * 1024;
const SEND_BUFFER_MS = 500;
/** A full send buffer takes more when this part of it is free. */
const WRITABLE_SHARE = 1 / 3;

/** What a connection needs from its machine. */
export interface StreamHost {
  readonly link: { readonly latencyMs: number; readonly readBytesPerSecond?: number | undefined };
  readonly net: {
    readonly simulation: Simulation;
    readonly onDelivery:
      | ((from: PeerAddress, to: PeerAddress, bytes: Uint8Array) => void)
      | undefined;
  };
  latencyTo(other: Pick<StreamHost, "link">): number;
  join(connection: SimStream): void;
  leave(connection: SimStream): void;
  /** The connection has bytes to send and may send them. */
  queue(connection: SimStream): void;
  /** A segment arrives at the downlink. */
  receive(bytes: Uint8Array, deliver: () => void): void;
}

/**
 * One side of a connection, as coarse as TCP: the system takes whole flushes into its send buffer
 * and reports them only then, and a slow reader opens its window in large steps.
 *
 * connecting -> open -> ended; connecting -> ended.
 */
export class SimStream implements StreamConnection {
  readonly remote: PeerAddress;
  readonly #host: StreamHost;
  readonly #address: PeerAddress;
  handler: StreamHandler | undefined;
  #other: SimStream | undefined;
  #isOpen = false;
  #ended = false;
  /** Written bytes that the system has not taken, oldest first. */
  readonly #written: Uint8Array[] = [];
  /** Bytes in `#written`, plus the flush not yet reported as sent. */
  #bufferedBytes = 0;
  /** For one flush: all its bytes, and those that the system has not taken yet. */
  #flushBytes = 0;
  #flushLeft = 0;
  #flushPlanned = false;
  /** Taken by the system but not on the line, oldest first. */
  readonly #queue: Uint8Array[] = [];
  #queuedBytes = 0;
  /** Taken by the system but not acknowledged. */
  #unackedBytes = 0;
  #sendBufferBytes = SEND_BUFFER_BYTES_MIN;
  #isSendBufferFull = false;
  #ackedBytes = 0;
  #ackedBytesBefore = 0;
  #ackedSinceMs = 0;
  /** Bytes that may be sent before the other side reads. */
  #windowBytes = RECEIVE_BUFFER_BYTES;
  #paused = false;
  /** Received but not read. */
  #unread: Uint8Array[] = [];
  #unreadBytes = 0;
  /** Read, but the other side does not know yet. */
  #readBytes = 0;
  #isReading = false;

  constructor(host: StreamHost, remote: PeerAddress, address: PeerAddress) {
    this.#host = host;
    this.remote = remote;
    this.#address = address;
    host.join(this);
  }

  get local(): Endpoint | undefined {
    if (!this.#isOpen || this.#address.kind === "webrtc") return undefined;
    return this.#address.endpoint;
  }

  get bufferedBytes(): number {
    return this.#bufferedBytes;
  }

  get ended(): boolean {
    return this.#ended;
  }

  unackedBytes(): number {
    return this.#bufferedBytes - (this.#flushBytes - this.#flushLeft) + this.#unackedBytes;
  }

  write(bytes: Uint8Array): void {
    if (this.#ended || bytes.length === 0) return;
    this.#written.push(bytes);
    this.#bufferedBytes += bytes.length;
    this.#planFlush();
  }

  pauseReading(): void {
    this.#paused = true;
  }

  resumeReading(): void {
    this.#paused = false;
    this.#host.net.simulation.startTimer(0, () => this.#read());
  }

  destroy(): void {
    if (this.#ended) return;
    this.#finish();
    const other = this.#other;
    if (!other) return;
    const latencyMs = this.#host.latencyTo(other.#host);
    this.#host.net.simulation.startTimer(latencyMs, () => other.end(undefined));
  }

  // ---- For hosts -------------------------------------------------------------------------------------

  pairWith(other: SimStream | undefined): void {
    this.#other = other;
  }

  accept(handler: StreamHandler): void {
    this.#other!.#other = this;
    this.handler = handler;
    this.#isOpen = true;
    this.#planFlush();
  }

  open(): void {
    if (this.#ended) return;
    this.#isOpen = true;
    this.handler!.handleOpen();
    this.#planFlush();
  }

  end(reason: NetFailure | undefined): void {
    if (this.#ended) return;
    this.#finish();
    this.handler?.handleClose(reason);
  }

  /** The line is cut: both sides notice. */
  break(): void {
    this.end(netFailure("ECONNRESET"));
    this.#other?.end(netFailure("ECONNRESET"));
  }

  /** The next bytes for the line. */
  takeSegment(): Uint8Array {
    const segment = takeFrom(this.#queue, Math.min(this.#queuedBytes, SEGMENT_BYTES));
    this.#queuedBytes -= segment.length;
    this.#windowBytes -= segment.length;
    return segment;
  }

  /** The segment is on its way: only the end of the connection can stop it. */
  handleLeft(segment: Uint8Array): void {
    if (this.#ended) return;
    const other = this.#other!;
    this.#host.net.simulation.startTimer(this.#host.latencyTo(other.#host), () => {
      other.#host.receive(segment, () => other.#receive(segment));
    });
    this.#offer();
  }

  /**
   * Data written in one turn leaves together; nothing leaves until the system has taken the
   * previous flush.
   */
  #planFlush(): void {
    if (!this.#isOpen || this.#ended || this.#flushPlanned || this.#flushBytes > 0) return;
    if (this.#written.length === 0) return;
    this.#flushPlanned = true;
    this.#host.net.simulation.startTimer(0, () => {
      this.#flushPlanned = false;
      if (this.#ended) return;
      this.#flushBytes = Math.min(this.#bufferedBytes, FLUSH_BYTES);
      this.#flushLeft = this.#flushBytes;
      this.#fillSendBuffer();
    });
  }

  #fillSendBuffer(): void {
    const free = this.#sendBufferBytes - this.#unackedBytes;
    const enough = this.#isSendBufferFull ? this.#sendBufferBytes * WRITABLE_SHARE : 1;
    if (this.#flushLeft === 0 || free < enough) return;
    // Copied, because the writer gets its buffer back once it was taken.
    const taken = takeFrom(this.#written, Math.min(free, this.#flushLeft));
    this.#queue.push(taken);
    this.#queuedBytes += taken.length;
    this.#unackedBytes += taken.length;
    this.#flushLeft -= taken.length;
    this.#isSendBufferFull = this.#flushLeft > 0;
    this.#offer();
    if (this.#flushLeft > 0) return;
    const sent = this.#flushBytes;
    this.#flushBytes = 0;
    this.#bufferedBytes -= sent;
    this.handler!.handleSent(sent);
    this.#planFlush();
  }

  #receive(segment: Uint8Array): void {
    if (this.#ended) return;
    this.#unread.push(segment);
    this.#unreadBytes += segment.length;
    const sender = this.#other!;
    this.#read();
    sender.#handleAcked(segment.length);
  }

  /** The application reads: at once, or as fast as its machine can. */
  #read(): void {
    const { readBytesPerSecond = Number.POSITIVE_INFINITY } = this.#host.link;
    while (!this.#paused && !this.#isReading && this.#unread.length > 0) {
      if (readBytesPerSecond < Number.POSITIVE_INFINITY) {
        const tookMs = (this.#unread[0]!.length * 1000) / readBytesPerSecond;
        this.#isReading = true;
        this.#host.net.simulation.startTimer(tookMs, () => {
          this.#isReading = false;
          if (!this.#paused) this.#deliver();
          this.#read();
        });
        return;
      }
      this.#deliver();
    }
  }

  #deliver(): void {
    const segment = this.#unread.shift();
    if (this.#ended || !segment) return;
    this.#unreadBytes -= segment.length;
    this.#readBytes += segment.length;
    const { onDelivery } = this.#host.net;
    onDelivery?.(this.remote, this.#address, segment);
    this.handler!.handleBytes(segment, segment.length);
    if (this.#unreadBytes > RECEIVE_BUFFER_BYTES / 2) return;
    const readBytes = this.#readBytes;
    this.#readBytes = 0;
    this.#other!.#handleWindow(readBytes);
  }

  #handleWindow(bytes: number): void {
    this.#windowBytes += bytes;
    this.#offer();
  }

  #handleAcked(bytes: number): void {
    if (this.#ended) return;
    this.#unackedBytes -= bytes;
    const now = this.#host.net.simulation.nowMs();
    const elapsedMs = now - this.#ackedSinceMs;
    if (elapsedMs >= SEND_BUFFER_MS / 2) {
      this.#ackedBytesBefore = elapsedMs < SEND_BUFFER_MS ? this.#ackedBytes : 0;
      this.#ackedBytes = 0;
      this.#ackedSinceMs = now;
    }
    this.#ackedBytes += bytes;
    const goal = 2 * Math.max(this.#ackedBytes, this.#ackedBytesBefore);
    this.#sendBufferBytes = Math.max(this.#sendBufferBytes, Math.min(goal, SEND_BUFFER_BYTES_MAX));
    this.#fillSendBuffer();
  }

  #offer(): void {
    if (!this.#isOpen || this.#ended || this.#queue.length === 0) return;
    if (this.#windowBytes >= SEGMENT_BYTES) this.#host.queue(this);
  }

  #finish(): void {
    this.#ended = true;
    this.#host.leave(this);
    this.#written.length = 0;
    this.#queue.length = 0;
    this.#unread.length = 0;
    this.#bufferedBytes = 0;
  }
}

/** Removes the first bytes of a queue and returns a copy. */
function takeFrom(queue: Uint8Array[], bytes: number): Uint8Array {
  const taken = new Uint8Array(bytes);
  let length = 0;
  while (length < bytes) {
    const head = queue[0]!;
    const part = head.subarray(0, bytes - length);
    taken.set(part, length);
    length += part.length;
    if (part.length === head.length) queue.shift();
    else queue[0] = head.subarray(part.length);
  }
  return taken;
}

export function netFailure(code: string): NetFailure {
  return { code, message: `the simulated net says ${code}` };
}
