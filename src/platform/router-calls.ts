import http from "node:http";
import net from "node:net";
import type { HttpAnswer, HttpCalls, HttpRequest } from "../ports/net.ts";
import { PlatformError } from "./platform-error.ts";

/**
 * Calls the service of a router: plain HTTP to an address, a connection for each call, headers as they are spelled.
 * Routers have small servers, and what a browser would send confuses some.
 */
export class RouterCalls implements HttpCalls {
  /** @throws (rejects with) {PlatformError} `bad-url` for a host that is a name; otherwise the system's error. */
  async send(request: HttpRequest): Promise<HttpAnswer> {
    const url = new URL(request.url);
    if (url.protocol !== "http:" || net.isIP(url.hostname.replace(/^\[(.*)\]$/, "$1")) === 0) {
      throw new PlatformError("bad-url", "a router is called by its address, over http");
    }
    const signal = AbortSignal.any([request.signal, AbortSignal.timeout(request.timeoutMs)]);
    const reply = await ask(url, request, signal);
    return {
      status: reply.statusCode ?? 0,
      location: reply.headers.location,
      body: await readUpTo(request.bytesMax, reply),
    };
  }
}

function ask(
  url: URL,
  { method, headers, body }: HttpRequest,
  signal: AbortSignal,
): Promise<http.IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<http.IncomingMessage>();
  const length = body === undefined ? {} : { "Content-Length": Buffer.byteLength(body) };
  const options = { method, signal, agent: false, headers: { ...headers, ...length } };
  const request = http.request(url, options, resolve);
  request.on("error", reject);
  request.end(body);
  return promise;
}

async function readUpTo(
  bytesMax: number,
  reply: http.IncomingMessage,
): Promise<Uint8Array | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of reply as AsyncIterable<Buffer>) {
    length += chunk.length;
    // Leaving the loop ends the connection.
    if (length > bytesMax) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
