import net from "node:net";
import tls from "node:tls";
import type { HttpQuestion, RawHttpReply } from "./http-exchange.ts";
import { LenientReply } from "./lenient-reply.ts";
import { openEndpoint } from "./socket-address.ts";

/** How long one of several addresses may take to accept a connection before the next is tried. */
const CONNECT_MS = 5_000;

/**
 * An `HttpExchange` for trackers, many of which run old programs: Node's client refuses replies
 * that other BitTorrent programs read (see `LenientReply`). Certificates are verified all the same.
 */
export async function lenientExchange(question: HttpQuestion): Promise<RawHttpReply> {
  const socket = await connectToFirst(question);
  const { url, userAgent, bytesMax, signal } = question;
  const from = openEndpoint({ address: socket.remoteAddress ?? "", port: 0 }).address;
  const reply = new LenientReply(bytesMax);
  const giveUp = (): void => void socket.destroy(signal.reason as Error);
  signal.addEventListener("abort", giveUp);
  try {
    signal.throwIfAborted();
    socket.write(requestText(url, userAgent), "latin1");
    for await (const part of socket as AsyncIterable<Uint8Array>) {
      if (reply.push(part)) break;
    }
  } catch (error) {
    // Some servers reset the connection after the reply; use the bytes that arrived if they
    // suffice.
    signal.throwIfAborted();
    if (!reply.hasHead || !isReset(error)) throw error;
  } finally {
    signal.removeEventListener("abort", giveUp);
    socket.destroy();
  }
  return { ...reply.finish(), from };
}

async function connectToFirst(question: HttpQuestion): Promise<net.Socket> {
  let trouble: unknown;
  for (const [index, address] of question.addresses.entries()) {
    try {
      const isLast = index === question.addresses.length - 1;
      return await connect(question, address, isLast ? undefined : CONNECT_MS);
    } catch (error) {
      question.signal.throwIfAborted();
      trouble = error;
    }
  }
  throw trouble;
}

function connect(
  { url, signal }: HttpQuestion,
  address: string,
  timeoutMs: number | undefined,
): Promise<net.Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<net.Socket>();
  const secure = url.protocol === "https:";
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  const port = url.port === "" ? (secure ? 443 : 80) : Number(url.port);
  const servername = net.isIP(host) === 0 ? { servername: host } : {};
  const socket = secure
    ? tls.connect({ host: address, port, ...servername })
    : net.connect({ host: address, port });
  const giveUp = (): void => void socket.destroy(signal.reason as Error);
  signal.addEventListener("abort", giveUp);
  if (signal.aborted) giveUp();
  const tooSlow = (): void => void socket.destroy(new Error("the connection took too long"));
  if (timeoutMs !== undefined) socket.setTimeout(timeoutMs, tooSlow);
  socket.once("error", (error) => {
    signal.removeEventListener("abort", giveUp);
    reject(error);
  });
  socket.once(secure ? "secureConnect" : "connect", () => {
    signal.removeEventListener("abort", giveUp);
    socket.setTimeout(0);
    resolve(socket);
  });
  return promise;
}

function requestText(url: URL, userAgent: string): string {
  const { pathname, search, host, username, password } = url;
  const lines = [
    `GET ${pathname}${search} HTTP/1.1`,
    `Host: ${host}`,
    `User-Agent: ${userAgent}`,
    "Accept-Encoding: gzip",
    "Connection: close",
  ];
  if (username !== "" || password !== "") {
    const secret = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
    lines.push(`Authorization: Basic ${Buffer.from(secret).toString("base64")}`);
  }
  return `${lines.join("\r\n")}\r\n\r\n`;
}

function isReset(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ECONNRESET";
}
