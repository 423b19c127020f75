import { type Endpoint, formatEndpoint } from "../../src/base/endpoint.ts";
import type { Clock } from "../../src/ports/clock.ts";
import type { NetFailure, StreamConnection, StreamHandler } from "../../src/ports/net.ts";
import type { Random } from "../../src/ports/random.ts";
import { seededRandom } from "../../src/sim/seeded-random.ts";
import { Simulation } from "../../src/sim/simulation.ts";
import { UtpSocket } from "../../src/utp/utp-socket.ts";
import { type LinkOptions, SimLink } from "./sim-link.ts";

export const A: Endpoint = { address: "11.1.1.1", port: 1001 };
export const B: Endpoint = { address: "22.2.2.2", port: 2002 };

const BLOCK_BYTES = 16 * 1024;
/** An engine keeps about so much written ahead. */
const WRITTEN_BYTES = 32 * BLOCK_BYTES;
const DATAGRAM_BYTES_MAX = 65_507;
/** What flows send over and over: no packet is a multiple of this prime, so that a mistake shows. */
const PERIOD_BYTES = 65_521;
const PATTERN = Uint8Array.from(
  { length: PERIOD_BYTES + DATAGRAM_BYTES_MAX },
  (_, i) => ((i % PERIOD_BYTES) * 2_654_435_761) >>> 24,
);

const INSTANT: LinkOptions = { bytesPerSecond: Infinity, delayMs: 1 };

export interface UtpWorldOptions {
  readonly seed: number;
  readonly there?: LinkOptions;
  readonly back?: LinkOptions;
  /** What the clock of B shows when that of A shows so much. */
  readonly clockOfB?: (nowMs: number) => number;
  /** Both sides say that they read datagrams of so many bytes, and their links claim to carry them. */
  readonly trainBytes?: number;
  /** They do not say so, as other programs. */
  readonly isSilent?: boolean;
  /** What A's own random numbers are; the first two are the id and the number of its first call. */
  readonly randomOfA?: Random;
}

/** What happens to a connection, and a flow of known bytes over it. */
export class Flow implements StreamHandler {
  connection: StreamConnection | undefined;
  /** Bytes that are still to be written; they count up, so that each place has its own. */
  toWrite = 0;
  written = 0;
  isOpen = false;
  received = 0;
  /** The first byte that was not the next one. */
  wrongAt: number | undefined;
  closed: { readonly failure: NetFailure | undefined } | undefined;
  onBytes: (() => void) | undefined;

  /** Keeps the connection as busy as an engine does: a little more than it takes at once. */
  pump(): void {
    const { connection } = this;
    while (connection && this.toWrite > 0 && connection.bufferedBytes < WRITTEN_BYTES) {
      const length = Math.min(BLOCK_BYTES, this.toWrite);
      const from = this.written % PERIOD_BYTES;
      connection.write(PATTERN.subarray(from, from + length));
      this.written += length;
      this.toWrite -= length;
    }
  }

  handleOpen(): void {
    this.isOpen = true;
    this.pump();
  }

  handleBytes(chunk: Uint8Array, length: number): void {
    const from = this.received % PERIOD_BYTES;
    if (!equal(chunk.subarray(0, length), PATTERN.subarray(from, from + length))) {
      this.wrongAt ??= this.received;
    }
    this.received += length;
    this.onBytes?.();
  }

  handleSent(): void {
    this.pump();
  }

  handleClose(failure: NetFailure | undefined): void {
    this.closed = { failure };
  }
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

/** Two machines with uTP, A and B, and a line between them. A calls. */
export class UtpWorld {
  readonly simulation = new Simulation();
  readonly random: Random;
  readonly there: SimLink;
  readonly back: SimLink;
  readonly a: UtpSocket;
  readonly b: UtpSocket;
  /** What B accepted. */
  readonly accepted: Flow[] = [];
  /** Every datagram that was sent: `intercept` may change or drop it. */
  intercept: (bytes: Uint8Array, from: Endpoint) => Uint8Array | undefined = (bytes) => bytes;
  datagrams = 0;
  /** The longest datagram that was sent. */
  longest = 0;
  refuses = false;
  readonly #trainBytes: number | undefined;
  readonly #isSilent: boolean;

  constructor({
    seed,
    there = INSTANT,
    back = there,
    clockOfB = (now) => now,
    randomOfA,
    trainBytes,
    isSilent = false,
  }: UtpWorldOptions) {
    this.#trainBytes = trainBytes;
    this.#isSilent = isSilent;
    this.random = seededRandom(seed);
    this.there = new SimLink(this, there);
    this.back = new SimLink(this, back);
    this.a = this.#machine(A, this.simulation, randomOfA);
    const { simulation } = this;
    const clock: Clock = {
      nowMs: () => clockOfB(simulation.nowMs()),
      wallMs: () => simulation.wallMs(),
      startTimer: (delayMs, fire) => simulation.startTimer(delayMs, fire),
    };
    this.b = this.#machine(B, clock);
  }

  #machine(local: Endpoint, clock: Clock, random?: Random): UtpSocket {
    return new UtpSocket({
      local,
      clock,
      random: random ?? seededRandom(this.random.below(2 ** 32)),
      send: (bytes, to) => this.send(bytes, local, to),
      bytesMaxTo: () => this.#trainBytes,
      soon: (fire) => void this.simulation.startTimer(0, fire),
      accept: (connection) => {
        if (this.refuses) return undefined;
        const flow = new Flow();
        flow.connection = connection;
        this.#allowTrains(connection);
        this.accepted.push(flow);
        return flow;
      },
    });
  }

  /** Sends a datagram as this address would, true or not. */
  send(bytes: Uint8Array, from: Endpoint, to: Endpoint): void {
    this.datagrams += 1;
    this.longest = Math.max(this.longest, bytes.length);
    const passed = this.intercept(bytes, from);
    if (!passed) return;
    const copy = passed.slice();
    const toB = formatEndpoint(to) === formatEndpoint(B);
    const link = toB ? this.there : this.back;
    const target = toB ? this.b : formatEndpoint(to) === formatEndpoint(A) ? this.a : undefined;
    link.send(copy.length, () => target?.handleDatagram(copy, from));
  }

  /** A calls B and writes so many bytes. */
  call(bytes: number): Flow {
    const flow = new Flow();
    flow.toWrite = bytes;
    flow.connection = this.a.dial(B, flow, { timeoutMs: 20_000 });
    this.#allowTrains(flow.connection);
    return flow;
  }

  #allowTrains(connection: StreamConnection): void {
    if (this.#trainBytes !== undefined && !this.#isSilent)
      connection.allowDatagrams?.(this.#trainBytes);
  }

  /** @returns Whether B got all bytes of the first flow in time. */
  runUntilReceived(bytes: number, limitMs: number): boolean {
    return this.simulation.runUntil(() => (this.accepted[0]?.received ?? 0) >= bytes, limitMs);
  }
}
