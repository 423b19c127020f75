import http from "node:http";
import https from "node:https";
import net from "node:net";
import dns from "node:dns";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { concatBytes } from "../base/bytes.ts";
import type { HttpFetch, HttpReply } from "../ports/net.ts";
import { PlatformError } from "./platform-error.ts";
import { toNetFailure } from "./socket-address.ts";

const REDIRECTS_MAX = 5;
const REDIRECT_STATUSES: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

export interface NodeHttpFetchOptions {
  readonly userAgent: string;
  /** House rule 8: asked for the very address that is connected to. Default: all are allowed. */
  readonly allowAddress?: ((address: string) => boolean) | undefined;
}

interface Limits {
  readonly timeoutMs: number;
  readonly bytesMax: number;
  readonly signal?: AbortSignal;
  readonly family?: 4 | 6;
}

/**
 * Fetches over HTTP and HTTPS. Certificates are always verified, the size is limited while the body
 * arrives and after it is unpacked, and errors name the host only: paths hold passkeys (rule 10).
 */
export class NodeHttpFetch implements HttpFetch {
  readonly #userAgent: string;
  readonly #allowAddress: (address: string) => boolean;

  constructor(options: NodeHttpFetchOptions) {
    this.#userAgent = options.userAgent;
    this.#allowAddress = options.allowAddress ?? (() => true);
  }

  /** @throws {PlatformError} See its codes; for too long a body, `reply-too-long`. */
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

  /** @returns The reply, or where it redirects to. */
  async #getOnce(url: URL, limits: Limits, signal: AbortSignal): Promise<HttpReply | URL> {
    const reply = await this.#request(url, limits.family, signal);
    const { statusCode: status = 0, headers } = reply;
    if (REDIRECT_STATUSES.has(status) && headers.location !== undefined) {
      reply.destroy();
      return parseUrl(headers.location, url);
    }
    return { status, body: await readBody(reply, limits.bytesMax, signal) };
  }

  #request(url: URL, family: Limits["family"], signal: AbortSignal): Promise<http.IncomingMessage> {
    const literal = url.hostname.replace(/^\[(.*)\]$/, "$1");
    if (net.isIP(literal) !== 0) this.#check(literal);
    const { promise, resolve, reject } = Promise.withResolvers<http.IncomingMessage>();
    const secure = url.protocol === "https:";
    const options: https.RequestOptions = {
      signal,
      lookup: (host, lookupOptions, callback) => {
        dns.lookup(host, { ...lookupOptions, all: true }, (error, addresses) => {
          if (error) return callback(error, "");
          const allowed = addresses.filter(({ address }) => this.#allowAddress(address));
          const [first] = allowed;
          if (!first) return callback(refused(host), "");
          if (lookupOptions.all) callback(null, allowed);
          else callback(null, first.address, first.family);
        });
      },
      ...(family && { family }),
      // One resource from each host, now and then: nothing is gained by keeping connections.
      agent: false,
      headers: { "user-agent": this.#userAgent, "accept-encoding": "gzip" },
    };
    const request = secure ? https.get(url, options, resolve) : http.get(url, options, resolve);
    request.on("error", reject);
    return promise;
  }

  #check(address: string): void {
    if (!this.#allowAddress(address)) throw refused(address);
  }
}

async function readBody(
  reply: http.IncomingMessage,
  bytesMax: number,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  const collect = async (source: AsyncIterable<Uint8Array>): Promise<void> => {
    for await (const part of source) {
      length += part.length;
      if (length > bytesMax) {
        throw new PlatformError("reply-too-long", `the reply is longer than ${bytesMax} bytes`);
      }
      parts.push(part);
    }
  };
  const packed = /^(x-)?gzip$/i.test(reply.headers["content-encoding"] ?? "");
  if (packed) await pipeline(reply, createGunzip(), collect, { signal });
  else await pipeline(reply, collect, { signal });
  return concatBytes(parts);
}

function parseUrl(text: string, base?: URL): URL {
  const url = URL.parse(text, base?.href);
  if (!url) throw new PlatformError("bad-url", "the address is not a URL");
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    throw new PlatformError("bad-url", `only http and https are fetched, not ${url.protocol}`);
  }
  return url;
}

function refused(host: string): PlatformError {
  return new PlatformError("address-refused", `connecting to ${host} is not allowed`);
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
