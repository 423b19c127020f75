import dns from "node:dns/promises";
import http from "node:http";
import https from "node:https";
import net from "node:net";
import type { HopJudge } from "../ports/net.ts";
import type { RangeHandler, RangeHead, RangeLine, RangeRequest } from "../ports/web-ranges.ts";
import { connectToFirst } from "./connect-to-first.ts";
import type { OpenSocket } from "./open-socket.ts";
import { toNetFailure } from "./socket-address.ts";

const REDIRECTS_MAX = 5;
const REDIRECT_STATUSES: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
/** A remembered redirect is followed for this long: links that redirects lead to often expire. */
const REDIRECT_KEPT_MS = 5 * 60_000;
/** Redirects of one line that are remembered; the oldest is forgotten. */
const REDIRECTS_KEPT = 256;
/** Servers to which one line keeps a connection: the named one, and where it redirects to. */
const SERVERS_KEPT = 3;
/** An unused connection is closed after this long; servers close theirs after 5 s and more. */
const IDLE_MS = 4_000;
/** Of opening a connection in another way than the system's, of all addresses together. */
const CONNECT_MS = 30_000;
/** The body of a redirect that is read so that the connection can be kept. */
const REDIRECT_BODY_BYTES_MAX = 64 * 1024;

export interface NodeWebRangesOptions {
  readonly userAgent: string;
  /** Resolves a name. Rejects when it has no address. Default: the system's resolver. */
  readonly lookUp?: ((host: string) => Promise<readonly string[]>) | undefined;
  /** Opens all connections. Default: the system's way. */
  readonly openSocket?: OpenSocket | undefined;
}

/** @param judgeHops - Makes the judge of one fetch: of the requested URL, and of its redirects in order. */
export function openRangeLine(options: NodeWebRangesOptions, judgeHops: () => HopJudge): RangeLine {
  return new NodeRangeLine(options, judgeHops);
}

interface Moved {
  /** The targets of redirects, in order. */
  readonly hops: readonly URL[];
  readonly atMs: number;
}

interface Server {
  readonly agent: http.Agent;
  /** The judged addresses of its host. */
  readonly addresses: readonly string[];
}

/** The request or its answer came to nothing, in words. */
class Trouble extends Error {
  readonly kind: "refused" | "unreachable";

  constructor(kind: "refused" | "unreachable", message: string) {
    super(message);
    this.kind = kind;
  }
}

/**
 * One connection to a web server, and one to each server that it redirects to. Every host is judged before it is
 * connected to, after the hops that led there, and only the judged addresses are connected to. Certificates are always
 * verified, and errors name the host only (rule 10).
 */
class NodeRangeLine implements RangeLine {
  readonly #options: NodeWebRangesOptions;
  readonly #judgeHops: () => HopJudge;
  /** By the chain of origins that leads there: a host is judged as the end of that chain. */
  readonly #servers = new Map<string, Server>();
  /** By requested URL. */
  readonly #moved = new Map<string, Moved>();
  /** Ends the request under way. */
  #stop: (() => void) | undefined;

  constructor(options: NodeWebRangesOptions, judgeHops: () => HopJudge) {
    this.#options = options;
    this.#judgeHops = judgeHops;
  }

  get(request: RangeRequest, handler: RangeHandler): void {
    const exchange = new Exchange(request, handler, {
      serverOf: (hops) => this.#serverOf(hops),
      hopsOf: (url) => this.#hopsOf(url),
      remember: (url, hops) => this.#remember(url, hops),
      forget: (url) => this.#moved.delete(url),
      userAgent: this.#options.userAgent,
    });
    this.#stop = () => exchange.stop();
    exchange.begin();
  }

  close(): void {
    this.#stop?.();
    this.#stop = undefined;
    for (const { agent } of this.#servers.values()) agent.destroy();
    this.#servers.clear();
  }

  #hopsOf(url: string): readonly URL[] {
    const moved = this.#moved.get(url);
    if (moved && performance.now() - moved.atMs < REDIRECT_KEPT_MS) return moved.hops;
    this.#moved.delete(url);
    return [];
  }

  #remember(url: string, hops: readonly URL[]): void {
    if (this.#moved.has(url)) return;
    this.#moved.set(url, { hops, atMs: performance.now() });
    const [oldest] = this.#moved.keys();
    if (this.#moved.size > REDIRECTS_KEPT) this.#moved.delete(oldest!);
  }

  /**
   * The server at the end of a chain of hops.
   *
   * @throws {Trouble} (rejects) When the guard refuses one of them.
   */
  async #serverOf(hops: readonly URL[]): Promise<Server> {
    const key = hops.map(({ origin }) => origin).join(" ");
    const known = this.#servers.get(key);
    if (known) {
      // The most recently used one is last.
      this.#servers.delete(key);
      this.#servers.set(key, known);
      return known;
    }
    const judge = this.#judgeHops();
    let addresses: readonly string[] = [];
    for (const url of hops) {
      const judged = judge({ url, addresses: await this.#lookUp(url) });
      if ("refused" in judged) throw new Trouble("refused", judged.refused);
      addresses = judged;
    }
    const last = hops.at(-1)!;
    if (addresses.length === 0) throw new Trouble("unreachable", `${last.hostname} has no address`);
    const { openSocket } = this.#options;
    const server = { agent: makeAgent(last, addresses, openSocket), addresses };
    this.#servers.set(key, server);
    const [oldest] = this.#servers;
    if (this.#servers.size > SERVERS_KEPT && oldest) {
      oldest[1].agent.destroy();
      this.#servers.delete(oldest[0]);
    }
    return server;
  }

  async #lookUp(url: URL): Promise<readonly string[]> {
    const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
    if (net.isIP(host) !== 0) return [host];
    try {
      return await (this.#options.lookUp ?? systemAddresses)(host);
    } catch {
      throw new Trouble("unreachable", `${host} has no address`);
    }
  }
}

interface ExchangeParts {
  readonly serverOf: (hops: readonly URL[]) => Promise<Server>;
  readonly hopsOf: (url: string) => readonly URL[];
  readonly remember: (url: string, hops: readonly URL[]) => void;
  readonly forget: (url: string) => void;
  readonly userAgent: string;
}

/** One request, through its redirects, to the end of its answer. */
class Exchange {
  readonly #request: RangeRequest;
  readonly #handler: RangeHandler;
  readonly #parts: ExchangeParts;
  #isOver = false;
  #running: http.ClientRequest | undefined;

  constructor(request: RangeRequest, handler: RangeHandler, parts: ExchangeParts) {
    this.#request = request;
    this.#handler = handler;
    this.#parts = parts;
  }

  begin(): void {
    const { url } = this.#request;
    const first = URL.parse(url);
    if (!first || !isHttp(first)) {
      queueMicrotask(() => this.#fail("refused", "its address is not one of http or https"));
      return;
    }
    const moved = this.#parts.hopsOf(url);
    void this.#send([first, ...moved], moved.length > 0);
  }

  stop(): void {
    this.#isOver = true;
    this.#running?.destroy();
  }

  /** @param isRemembered - The last hop is from memory, and may lead nowhere by now. */
  async #send(hops: readonly URL[], isRemembered: boolean): Promise<void> {
    const last = hops.at(-1)!;
    try {
      const server = await this.#parts.serverOf(hops);
      if (!this.#isOver) this.#ask(hops, server, { isRemembered, isRetry: false });
    } catch (error) {
      if (error instanceof Trouble) this.#fail(error.kind, error.message);
      else this.#fail("unreachable", `no answer from ${last.host}: ${reasonOf(error)}`);
    }
  }

  #ask(
    hops: readonly URL[],
    server: Server,
    how: { readonly isRemembered: boolean; readonly isRetry: boolean },
  ): void {
    const url = hops.at(-1)!;
    const request = this.#start(url, server);
    this.#running = request;
    let isAnswered = false;
    request.on("response", (response) => {
      isAnswered = true;
      if (this.#isOver) response.destroy();
      else this.#handleResponse(response, hops, how.isRemembered);
    });
    request.on("error", (error) => {
      if (this.#isOver || isAnswered) return;
      // The server closed the kept connection just then.
      if (request.reusedSocket && !how.isRetry) {
        this.#ask(hops, server, { ...how, isRetry: true });
        return;
      }
      this.#fail("unreachable", `no answer from ${url.host}: ${reasonOf(error)}`);
    });
    request.end();
  }

  #start(url: URL, { agent, addresses }: Server): http.ClientRequest {
    const { range } = this.#request;
    const judged = addresses.map((address) => ({ address, family: net.isIP(address) }));
    const options: https.RequestOptions = {
      agent,
      // Not called for a literal address, which was judged as it stands.
      lookup: (_host, lookupOptions, callback) => {
        const [first] = judged;
        if (lookupOptions.all) callback(null, judged);
        else callback(null, first!.address, first!.family);
      },
      headers: {
        "user-agent": this.#parts.userAgent,
        "accept-encoding": "identity",
        ...(range ? { range: `bytes=${range.first}-${range.last}` } : {}),
      },
    };
    return url.protocol === "https:" ? https.request(url, options) : http.request(url, options);
  }

  #handleResponse(
    response: http.IncomingMessage,
    hops: readonly URL[],
    isRemembered: boolean,
  ): void {
    const { statusCode: status = 0, headers } = response;
    if (REDIRECT_STATUSES.has(status) && headers.location !== undefined) {
      this.#follow(response, hops);
      return;
    }
    const { url } = this.#request;
    if (isRemembered && status >= 400 && status < 500) {
      // The redirect may have been for a while only.
      this.#parts.forget(url);
      response.destroy();
      void this.#send(hops.slice(0, 1), false);
      return;
    }
    if (hops.length > 1) this.#parts.remember(url, hops.slice(1));
    this.#handler.handleHead(headOf(status, headers));
    if (this.#isOver) return;
    response.on("data", (chunk: Uint8Array) => {
      if (!this.#isOver) this.#handler.handleBytes(chunk);
    });
    response.on("end", () => {
      if (response.complete) this.#end();
    });
    response.on("error", () => undefined);
    response.on("close", () => {
      if (!this.#isOver) this.#fail("cut", `${hops.at(-1)!.host} ended the connection too early`);
    });
  }

  #follow(response: http.IncomingMessage, hops: readonly URL[]): void {
    const from = hops.at(-1)!;
    const { location = "" } = response.headers;
    const length = Number(response.headers["content-length"] ?? Number.NaN);
    if (length <= REDIRECT_BODY_BYTES_MAX) response.resume();
    else response.destroy();
    const next = URL.parse(location, from.href);
    if (!next || !isHttp(next)) {
      this.#fail("refused", `${from.host} redirects to something that is no http or https address`);
    } else if (hops.length > REDIRECTS_MAX) {
      this.#fail("refused", `${from.host} redirects more than ${REDIRECTS_MAX} times`);
    } else {
      void this.#send([...hops, next], false);
    }
  }

  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#handler.handleEnd();
  }

  #fail(kind: "refused" | "unreachable" | "cut", message: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#running?.destroy();
    this.#handler.handleFailure({ kind, message });
  }
}

function makeAgent(
  url: URL,
  addresses: readonly string[],
  openSocket: OpenSocket | undefined,
): http.Agent {
  const make = { keepAlive: true, maxSockets: 1, maxFreeSockets: 1, timeout: IDLE_MS };
  const agent = url.protocol === "https:" ? new https.Agent(make) : new http.Agent(make);
  if (!openSocket) return agent;
  agent.createConnection = (_options, onCreated) => {
    const signal = AbortSignal.timeout(CONNECT_MS);
    connectToFirst({ url, addresses, openSocket, signal }).then(
      ({ socket }) => onCreated?.(null, socket),
      (onCreated as ((error: Error) => void) | undefined) ?? (() => undefined),
    );
    return undefined;
  };
  return agent;
}

function headOf(status: number, headers: http.IncomingHttpHeaders): RangeHead {
  return {
    status,
    contentRange: headers["content-range"],
    contentLength: headers["content-length"],
    contentEncoding: headers["content-encoding"],
    retryAfter: headers["retry-after"],
  };
}

function isHttp({ protocol }: URL): boolean {
  return protocol === "http:" || protocol === "https:";
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? toNetFailure(error).message : String(error);
}

async function systemAddresses(host: string): Promise<readonly string[]> {
  const found = await dns.lookup(host, { all: true });
  return found.map(({ address }) => address);
}
