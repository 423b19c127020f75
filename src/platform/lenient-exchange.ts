import { connectToFirst } from "./connect-to-first.ts";
import type { HttpQuestion, RawHttpReply } from "./http-exchange.ts";
import { LenientReply } from "./lenient-reply.ts";

/**
 * An `HttpExchange` for trackers, many of which run old programs: Node's client refuses replies
 * that other BitTorrent programs read (see `LenientReply`). Certificates are verified all the same.
 */
export async function lenientExchange(question: HttpQuestion): Promise<RawHttpReply> {
  const { socket, from } = await connectToFirst(question);
  const { url, userAgent, bytesMax, signal } = question;
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
