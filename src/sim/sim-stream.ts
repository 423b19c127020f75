import type { Endpoint } from "../base/endpoint.ts";
import type { NetFailure, StreamConnection, StreamHandler } from "../ports/net.ts";
import type { Simulation } from "./simulation.ts";

/** What a line carries at once before it is another connection's turn. */
const SEGMENT_BYTES = 16 * 1024;
/** What may be under way on one connection, as the receive window of a TCP: more than a line holds. */
const WINDOW_BYTES = 256 * 1024;

/** What a connection needs of the machine it belongs to. */
export interface StreamHost {
  readonly link: { readonly latencyMs: number };
  readonly net: {
    readonly simulation: Simulation;
    readonly onDelivery: ((from: Endpoint, to: Endpoint, bytes: Uint8Array) => void) | undefined;
  };
  latencyTo(other: Pick<StreamHost, "link">): number;
  join(connection: SimStream): void;
  leave(connection: SimStream): void;
  /** The connection has something to send and may. */
  queue(connection: SimStream): void;
  /** A segment arrives at the line down. */
  receive(bytes: Uint8Array, deliver: () => void): void;
}

/**
 * One side of a connection.
 *
 * connecting -> open -> ended; connecting -> ended.
 */
export class SimStream implements StreamConnection {
  readonly remote: Endpoint;
  readonly #host: StreamHost;
  readonly #address: Endpoint;
  handler: StreamHandler | undefined;
  #other: SimStream | undefined;
  #isOpen = false;
  #ended = false;
  /** Written and not yet on the line, oldest first. */
  readonly #queue: Uint8Array[] = [];
  #bufferedBytes = 0;
  /** Taken to the line and not yet handed to the receiver. */
  #underWayBytes = 0;
  #paused = false;
  /** Arrived while reading was paused. */
  #held: Uint8Array[] = [];

  constructor(host: StreamHost, remote: Endpoint, address: Endpoint) {
    this.#host = host;
    this.remote = remote;
    this.#address = address;
    host.join(this);
  }

  get local(): Endpoint | undefined {
    return this.#isOpen ? this.#address : undefined;
  }

  get bufferedBytes(): number {
    return this.#bufferedBytes;
  }

  get ended(): boolean {
    return this.#ended;
  }

  write(bytes: Uint8Array): void {
    if (this.#ended || bytes.length === 0) return;
    this.#queue.push(bytes);
    this.#bufferedBytes += bytes.length;
    this.#offer();
  }

  pauseReading(): void {
    this.#paused = true;
  }

  resumeReading(): void {
    this.#paused = false;
    this.#host.net.simulation.startTimer(0, () => this.#handHeld());
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
    this.#offer();
  }

  open(): void {
    if (this.#ended) return;
    this.#isOpen = true;
    this.handler!.handleOpen();
    this.#offer();
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

  /** The next bytes for the line, copied: the writer's buffer comes back when they have left. */
  takeSegment(): Uint8Array {
    const segment = new Uint8Array(Math.min(this.#bufferedBytes, SEGMENT_BYTES));
    let length = 0;
    while (length < segment.length) {
      const head = this.#queue[0]!;
      const part = head.subarray(0, segment.length - length);
      segment.set(part, length);
      length += part.length;
      if (part.length === head.length) this.#queue.shift();
      else this.#queue[0] = head.subarray(part.length);
    }
    this.#underWayBytes += length;
    return segment;
  }

  /** The segment is on its way: nothing can stop it but the end of the connection. */
  handleLeft(segment: Uint8Array): void {
    if (this.#ended) return;
    const other = this.#other!;
    this.#host.net.simulation.startTimer(this.#host.latencyTo(other.#host), () => {
      other.#host.receive(segment, () => other.#deliver(segment));
    });
    this.#bufferedBytes -= segment.length;
    this.handler!.handleSent(segment.length);
    this.#offer();
  }

  #deliver(segment: Uint8Array): void {
    if (this.#ended) return;
    if (this.#paused || this.#held.length > 0) {
      this.#held.push(segment);
      return;
    }
    const { onDelivery } = this.#host.net;
    onDelivery?.(this.remote, this.#address, segment);
    this.handler!.handleBytes(segment, segment.length);
    this.#other!.#handleTaken(segment.length);
  }

  #handHeld(): void {
    const held = this.#held;
    this.#held = [];
    for (const segment of held) this.#deliver(segment);
  }

  #handleTaken(bytes: number): void {
    this.#underWayBytes -= bytes;
    this.#offer();
  }

  #offer(): void {
    if (!this.#isOpen || this.#ended || this.#queue.length === 0) return;
    if (this.#underWayBytes + SEGMENT_BYTES <= WINDOW_BYTES) this.#host.queue(this);
  }

  #finish(): void {
    this.#ended = true;
    this.#host.leave(this);
    this.#queue.length = 0;
    this.#held.length = 0;
    this.#bufferedBytes = 0;
  }
}

export function netFailure(code: string): NetFailure {
  return { code, message: `the simulated net says ${code}` };
}
