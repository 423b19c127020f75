import dns from "node:dns/promises";
import net from "node:net";
import { gunzip } from "node:zlib";
import { promisify } from "node:util";
import { concatBytes } from "../base/bytes.ts";
import type { HopJudge, HttpFetch, HttpReply } from "../ports/net.ts";
import type { HttpExchange, RawHttpReply } from "./http-exchange.ts";
import { lenientExchange } from "./lenient-exchange.ts";
import type { OpenSocket } from "./open-socket.ts";
import { PlatformError } from "./platform-error.ts";
import { toNetFailure } from "./socket-address.ts";
import { strictExchange } from "./strict-exchange.ts";

const REDIRECTS_MAX = 5;
const REDIRECT_STATUSES: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

export interface NodeHttpFetchOptions {
  readonly userAgent: string;
  /** All hops are allowed when absent. */
  readonly judge?: HopJudge | undefined;
  /** Resolves a name. Rejects when it has no address. Default: the system's resolver. */
  readonly lookUp?: ((host: string) => Promise<readonly string[]>) | undefined;
  /**
   * Also reads replies that break the rules of HTTP but have a clear meaning, as some trackers
   * send.
   */
  readonly lenient?: boolean | undefined;
  /** Opens all connections. Default: the system's way. */
  readonly openSocket?: OpenSocket | undefined;
}

type Limits = Parameters<HttpFetch["get"]>[1];

/**
 * Fetches over HTTP and HTTPS. Certificates are always verified, the size is limited both
 * compressed and unpacked, and errors name the host only, because paths hold passkeys (rule 10).
 */
export class NodeHttpFetch implements HttpFetch {
  readonly #options: NodeHttpFetchOptions;
  readonly #exchange: HttpExchange;

  constructor(options: NodeHttpFetchOptions) {
    this.#options = options;
    this.#exchange = options.lenient ? lenientExchange : strictExchange;
  }

  /** @throws {PlatformError} See its codes; `reply-too-long` for a body that is too long. */
  async get(url: string, limits: Limits): Promise<HttpReply> {
    const timeout = AbortSignal.timeout(limits.timeoutMs);
    const signal = limits.signal ? AbortSignal.any([limits.signal, timeout]) : timeout;
    let target = parseUrl(url);
    try {
      for (let redirects = 0; redirects <= REDIRECTS_MAX; redirects += 1) {
        const step = await this.#getOnce(target, limits, signal);
        if (!(step instanceof URL)) return step;
        target = step;
      }
    } catch (error) {
      if (error instanceof PlatformError) throw error;
      throw explain(error, target, { timedOut: timeout.aborted, aborted: signal.aborted, limits });
    }
    throw new PlatformError(
      "too-many-redirects",
      `${target.host} redirects more than ${REDIRECTS_MAX} times`,
    );
  }

  /** @returns The reply, or the target of its redirect. */
  async #getOnce(url: URL, limits: Limits, signal: AbortSignal): Promise<HttpReply | URL> {
    const addresses = await this.#addresses(url, limits.family, signal);
    const { userAgent, openSocket } = this.#options;
    const { bytesMax, post } = limits;
    const question = { url, addresses, userAgent, bytesMax, signal, openSocket, post };
    const reply = await this.#exchange(question);
    const { status, from, location, date } = reply;
    if (!post && REDIRECT_STATUSES.has(status) && location !== undefined) {
      const next = URL.parse(location, url.href);
      if (next && isHttp(next)) return next;
      return { status, body: new Uint8Array(), from, leadsTo: next?.href };
    }
    return { status, body: await unpack(reply, bytesMax), from, date };
  }

  /**
   * The addresses that this hop may connect to: looked up once, judged, and of the requested
   * family.
   */
  async #addresses(
    url: URL,
    family: Limits["family"],
    signal: AbortSignal,
  ): Promise<readonly string[]> {
    const { judge, lookUp = systemAddresses } = this.#options;
    const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
    const found = net.isIP(host) === 0 ? await unlessAborted(lookUp(host), signal) : [host];
    const judged = judge ? judge({ url, addresses: found }) : found;
    if ("refused" in judged) throw new PlatformError("address-refused", judged.refused);
    const usable = judged.filter((address) => !family || net.isIP(address) === family);
    if (usable.length > 0) return usable;
    const which = family ? `IPv${family} address` : "address";
    throw new PlatformError("no-reply", `${host} has no ${which}`);
  }
}

/** The system's resolver cannot be cancelled: its answer is ignored. */
async function unlessAborted<T>(pending: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const { promise, reject } = Promise.withResolvers<never>();
  const giveUp = (): void => reject(signal.reason as Error);
  signal.addEventListener("abort", giveUp);
  try {
    return await Promise.race([pending, promise]);
  } finally {
    signal.removeEventListener("abort", giveUp);
  }
}

async function systemAddresses(host: string): Promise<readonly string[]> {
  const found = await dns.lookup(host, { all: true });
  return found.map(({ address }) => address);
}

async function unpack({ body, packed }: RawHttpReply, bytesMax: number): Promise<Uint8Array> {
  if (!packed) return body.length === 1 ? body[0]! : concatBytes(body);
  try {
    // Not made once for all: reading `gunzip` loads zlib (ADR 6), which takes a megabyte.
    return await promisify(gunzip)(concatBytes(body), { maxOutputLength: bytesMax });
  } catch (error) {
    if (error instanceof RangeError) {
      throw new PlatformError("reply-too-long", `the reply is longer than ${bytesMax} bytes`);
    }
    throw error;
  }
}

function parseUrl(text: string): URL {
  const url = URL.parse(text);
  if (!url) throw new PlatformError("bad-url", "the address is not a URL");
  if (isHttp(url)) return url;
  throw new PlatformError("bad-url", `only http and https are fetched, not ${url.protocol}`);
}

function isHttp({ protocol }: URL): boolean {
  return protocol === "http:" || protocol === "https:";
}

function explain(
  error: unknown,
  url: URL,
  state: { timedOut: boolean; aborted: boolean; limits: Limits },
): PlatformError {
  const options = { cause: error };
  if (state.timedOut) {
    const message = `${url.host} did not reply in ${state.limits.timeoutMs} ms`;
    return new PlatformError("no-reply", message, options);
  }
  if (state.aborted) return new PlatformError("aborted", "the request was given up", options);
  const reason = error instanceof Error ? toNetFailure(error).message : String(error);
  return new PlatformError("no-reply", `no reply from ${url.host}: ${reason}`, options);
}
