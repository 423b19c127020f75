import type {
  RangeHandler,
  RangeHead,
  RangeLine,
  RangeRequest,
  WebRanges,
} from "../ports/web-ranges.ts";
import type { SimHost } from "./sim-net.ts";
import type { Simulation } from "./simulation.ts";

/** Bytes that a server's line carries for one request before the next one gets its turn. */
const CHUNK_BYTES = 32 * 1024;

/** What a simulated web server sends. */
export interface SimAnswer {
  readonly head: RangeHead;
  readonly body: Uint8Array;
  /** Nothing follows after this many bytes of the body: the connection stays open, and is silent. */
  readonly hangsAfter?: number | undefined;
  /** The connection ends after this many bytes of the body. */
  readonly cutAfter?: number | undefined;
}

export interface SimWebOptions {
  readonly simulation: Simulation;
  /** The machine that downloads: what arrives takes its share of that machine's line. */
  readonly client: SimHost;
  readonly bytesPerSecond: number;
  readonly latencyMs: number;
  /** `undefined`: nobody answers. */
  readonly answer: (request: RangeRequest) => SimAnswer | undefined;
}

/** A web server in simulated time. Its line is shared by all its connections. */
export class SimWeb implements WebRanges {
  readonly requests: RangeRequest[] = [];
  /** Bytes of bodies that it sent. */
  sentBytes = 0;
  /** Connections with a request under way, at most so far. */
  linesMax = 0;
  readonly #options: SimWebOptions;
  #busy = 0;
  #freeAtMs = 0;

  constructor(options: SimWebOptions) {
    this.#options = options;
  }

  open(): RangeLine {
    let stop: (() => void) | undefined;
    return {
      get: (request, handler) => {
        stop = this.#send(request, handler);
      },
      close: () => {
        stop?.();
        stop = undefined;
      },
    };
  }

  /** @returns Ends it; nothing follows. */
  #send(request: RangeRequest, handler: RangeHandler): () => void {
    const { simulation, latencyMs, answer } = this.#options;
    this.requests.push(request);
    this.#busy += 1;
    this.linesMax = Math.max(this.linesMax, this.#busy);
    let isOver = false;
    const end = (): boolean => {
      if (isOver) return false;
      isOver = true;
      this.#busy -= 1;
      return true;
    };
    simulation.startTimer(2 * latencyMs, () => {
      if (isOver) return;
      const given = answer(request);
      if (!given) {
        if (end()) handler.handleFailure({ kind: "unreachable", message: "nobody answers" });
        return;
      }
      handler.handleHead(given.head);
      this.#sendBody(given, 0, { handler, end, isOver: () => isOver });
    });
    return () => void end();
  }

  #sendBody(
    given: SimAnswer,
    from: number,
    to: {
      readonly handler: RangeHandler;
      readonly end: () => boolean;
      readonly isOver: () => boolean;
    },
  ): void {
    if (to.isOver()) return;
    const { simulation, client, bytesPerSecond } = this.#options;
    const { body, hangsAfter = Infinity, cutAfter = Infinity } = given;
    const last = Math.min(body.length, hangsAfter, cutAfter);
    if (from >= last) {
      if (from >= cutAfter) {
        if (to.end()) to.handler.handleFailure({ kind: "cut", message: "the connection ended" });
      } else if (from < hangsAfter && to.end()) {
        to.handler.handleEnd();
      }
      return;
    }
    const chunk = body.subarray(from, Math.min(last, from + CHUNK_BYTES));
    const beginMs = Math.max(simulation.nowMs(), this.#freeAtMs);
    this.#freeAtMs = beginMs + (chunk.length * 1000) / bytesPerSecond;
    simulation.startTimer(this.#freeAtMs - simulation.nowMs(), () => {
      if (to.isOver()) return;
      this.sentBytes += chunk.length;
      client.receive(chunk, () => {
        if (to.isOver()) return;
        to.handler.handleBytes(chunk);
        this.#sendBody(given, from + chunk.length, to);
      });
    });
  }
}

/** @returns The answer of a server of files that knows ranges. @param files - By their URLs. */
export function answerFromFiles(
  files: ReadonlyMap<string, Uint8Array>,
): (request: RangeRequest) => SimAnswer {
  return ({ url, range }) => {
    const bytes = files.get(url);
    if (!bytes) return { head: headOf(404), body: new Uint8Array() };
    if (!range)
      return { head: { ...headOf(200), contentLength: String(bytes.length) }, body: bytes };
    const last = Math.min(range.last, bytes.length - 1);
    const body = bytes.subarray(range.first, last + 1);
    const contentRange = `bytes ${range.first}-${last}/${bytes.length}`;
    return { head: { ...headOf(206), contentRange, contentLength: String(body.length) }, body };
  };
}

export function headOf(status: number): RangeHead {
  return {
    status,
    contentRange: undefined,
    contentLength: undefined,
    contentEncoding: undefined,
    retryAfter: undefined,
  };
}
