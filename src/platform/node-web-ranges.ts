import dns from "node:dns/promises";
import net from "node:net";
import type { HopJudge } from "../ports/net.ts";
import type { RangeFailure, RangeHandler, RangeLine, RangeRequest } from "../ports/web-ranges.ts";
import { connectToFirst } from "./connect-to-first.ts";
import type { OpenSocket } from "./open-socket.ts";
import { PlatformError } from "./platform-error.ts";
import { RangeReply, type ReplyHead } from "./range-reply.ts";
import { toNetFailure } from "./socket-address.ts";
import { WebConnection } from "./web-connection.ts";

const REDIRECTS_MAX = 5;
const REDIRECT_STATUSES: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
/** A remembered redirect is followed for this long: links that redirects lead to often expire. */
const REDIRECT_KEPT_MS = 5 * 60_000;
/** Redirects of one line that are remembered; the oldest is forgotten. */
const REDIRECTS_KEPT = 256;
/** Servers to which one line keeps a connection: the named one, and where it redirects to. */
const SERVERS_KEPT = 3;
/** Of opening a connection, of all addresses together. */
const CONNECT_MS = 30_000;

/** Why an exchange stops that has ended well. Without a reason Node makes an exception with a stack for each. */
const OVER = new Error("the request is over");

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
  /** The judged addresses of its host. */
  readonly addresses: readonly string[];
  /** Kept from the last request. */
  kept: WebConnection | undefined;
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
      openSocket: this.#options.openSocket,
    });
    this.#stop = () => exchange.stop();
    exchange.begin();
  }

  close(): void {
    this.#stop?.();
    this.#stop = undefined;
    for (const { kept } of this.#servers.values()) kept?.destroy();
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
    const server: Server = { addresses, kept: undefined };
    this.#servers.set(key, server);
    const [oldest] = this.#servers;
    if (this.#servers.size > SERVERS_KEPT && oldest) {
      oldest[1].kept?.destroy();
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
  readonly openSocket: OpenSocket | undefined;
}

/** One request on one connection, and the reply to it. */
interface Step {
  /** The requested URL, and the redirects that led from there. */
  readonly hops: readonly URL[];
  readonly server: Server;
  readonly connection: WebConnection;
  /** It was kept from an earlier request: the server may have closed it just then. */
  readonly isKept: boolean;
  /** The last hop is from memory, and may lead nowhere by now. */
  readonly isRemembered: boolean;
}

/** The reply is of use; it leads elsewhere, and its body is not looked at; it is over. */
type Use = "body" | "redirect" | "over";

/** One request, through its redirects, to the end of its answer. */
class Exchange {
  readonly #request: RangeRequest;
  readonly #handler: RangeHandler;
  readonly #parts: ExchangeParts;
  readonly #stopping = new AbortController();
  /** What is under way. */
  #step: Step | undefined;

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

  /** Nothing follows. */
  stop(): void {
    this.#stopping.abort(new Error("the request was given up"));
    this.#step?.connection.destroy();
    this.#step = undefined;
  }

  get #isOver(): boolean {
    return this.#stopping.signal.aborted;
  }

  async #send(hops: readonly URL[], isRemembered: boolean): Promise<void> {
    const url = hops.at(-1)!;
    try {
      const server = await this.#parts.serverOf(hops);
      if (this.#isOver) return;
      const { kept } = server;
      server.kept = undefined;
      const isKept = kept?.isOpen === true;
      const connection = isKept ? kept : await this.#connect(url, server);
      if (this.#isOver) connection.destroy();
      else this.#ask({ hops, server, connection, isKept, isRemembered });
    } catch (error) {
      if (error instanceof Trouble) this.#fail(error.kind, error.message);
      else this.#fail("unreachable", `no answer from ${url.host}: ${reasonOf(error)}`);
    }
  }

  async #connect(url: URL, { addresses }: Server): Promise<WebConnection> {
    const signal = AbortSignal.any([this.#stopping.signal, AbortSignal.timeout(CONNECT_MS)]);
    const { openSocket } = this.#parts;
    const { socket } = await connectToFirst({ url, addresses, openSocket, signal });
    return new WebConnection(socket);
  }

  #ask(step: Step): void {
    this.#step = step;
    let use: Use = "body";
    let hasBegun = false;
    const reply = new RangeReply({
      handleHead: (head) => {
        use = this.#handleHead(step, head);
      },
      handleBody: (bytes) => {
        if (use === "body" && this.#step === step) this.#handler.handleBytes(bytes);
      },
    });
    const finish = (): void => {
      if (this.#step !== step) return;
      this.#step = undefined;
      if (reply.keeps) this.#keep(step);
      else step.connection.destroy();
      if (use === "body") this.#end();
    };
    step.connection.use(
      {
        handleBytes: (chunk) => {
          hasBegun = true;
          try {
            reply.push(chunk);
          } catch (error) {
            if (!(error instanceof PlatformError)) throw error;
            const { host } = step.hops.at(-1)!;
            this.#fail("unreachable", `${host} does not speak HTTP as it should: ${error.message}`);
            return;
          }
          if (reply.isDone) finish();
        },
        handleClose: (error) => {
          if (this.#step !== step) return;
          if (reply.end()) finish();
          else this.#handleBroken(step, { hasBegun, error });
        },
      },
      requestText(step.hops.at(-1)!, this.#request, this.#parts.userAgent),
    );
  }

  #handleHead(step: Step, head: ReplyHead): Use {
    const { hops, isRemembered } = step;
    const { status, location } = head;
    if (REDIRECT_STATUSES.has(status) && location !== undefined) {
      this.#follow(step, location);
      return "redirect";
    }
    const { url } = this.#request;
    if (isRemembered && status >= 400 && status < 500) {
      // The redirect may have been for a while only.
      this.#parts.forget(url);
      this.#leave(step);
      void this.#send(hops.slice(0, 1), false);
      return "over";
    }
    if (hops.length > 1) this.#parts.remember(url, hops.slice(1));
    const { location: _, ...rest } = head;
    this.#handler.handleHead(rest);
    return "body";
  }

  #follow(step: Step, location: string): void {
    const { hops } = step;
    const from = hops.at(-1)!;
    const next = URL.parse(location, from.href);
    this.#leave(step);
    if (!next || !isHttp(next)) {
      this.#fail("refused", `${from.host} redirects to something that is no http or https address`);
    } else if (hops.length > REDIRECTS_MAX) {
      this.#fail("refused", `${from.host} redirects more than ${REDIRECTS_MAX} times`);
    } else {
      void this.#send([...hops, next], false);
    }
  }

  /** The rest of this reply is of no use, nor is its connection: how long it is, its server decides. */
  #leave({ connection }: Step): void {
    connection.destroy();
    this.#step = undefined;
  }

  #handleBroken(
    { hops, server, connection, isKept, isRemembered }: Step,
    { hasBegun, error }: { readonly hasBegun: boolean; readonly error: Error | undefined },
  ): void {
    const { host } = hops.at(-1)!;
    this.#step = undefined;
    if (isKept && !hasBegun) {
      server.kept = undefined;
      void this.#send(hops, isRemembered);
      return;
    }
    connection.destroy();
    if (hasBegun) this.#fail("cut", `${host} ended the connection too early`);
    else
      this.#fail(
        "unreachable",
        `no answer from ${host}: ${error ? reasonOf(error) : "it hung up"}`,
      );
  }

  #keep({ server, connection }: Step): void {
    server.kept?.destroy();
    server.kept = connection;
    connection.rest();
  }

  #end(): void {
    if (this.#isOver) return;
    this.#stopping.abort(OVER);
    this.#handler.handleEnd();
  }

  #fail(kind: RangeFailure["kind"], message: string): void {
    if (this.#isOver) return;
    this.stop();
    this.#handler.handleFailure({ kind, message });
  }
}

function requestText(url: URL, { range }: RangeRequest, userAgent: string): string {
  const { pathname, search, host, username, password } = url;
  const lines = [
    `GET ${pathname}${search} HTTP/1.1`,
    `Host: ${host}`,
    `User-Agent: ${userAgent}`,
    "Accept: */*",
    "Accept-Encoding: identity",
  ];
  if (range) lines.push(`Range: bytes=${range.first}-${range.last}`);
  if (username !== "" || password !== "") {
    const secret = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
    lines.push(`Authorization: Basic ${Buffer.from(secret).toString("base64")}`);
  }
  return `${lines.join("\r\n")}\r\n\r\n`;
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
