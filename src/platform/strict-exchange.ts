import http from "node:http";
import https from "node:https";
import net from "node:net";
import { pipeline } from "node:stream/promises";
import { connectToFirst } from "./connect-to-first.ts";
import type { HttpQuestion, RawHttpReply } from "./http-exchange.ts";
import { PlatformError } from "./platform-error.ts";

/** An `HttpExchange` with Node's own client, which reads nothing but correct HTTP. */
export async function strictExchange(question: HttpQuestion): Promise<RawHttpReply> {
  const opened = question.openSocket && (await connectToFirst(question));
  const reply = await ask(question, opened?.socket);
  const { statusCode: status = 0, headers, socket } = reply;
  return {
    status,
    location: headers.location,
    date: headers.date,
    packed: /^(x-)?gzip$/i.test(headers["content-encoding"] ?? ""),
    from: opened?.from ?? socket.remoteAddress ?? question.addresses[0]!,
    body: await readBody(reply, question),
  };
}

/** @param opened - A connection to the server; without one it is opened in the system's way. */
function ask(
  { url, addresses, userAgent, signal, post }: HttpQuestion,
  opened: net.Socket | undefined,
): Promise<http.IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<http.IncomingMessage>();
  const judged = addresses.map((address) => ({ address, family: net.isIP(address) }));
  const options: https.RequestOptions = {
    signal,
    // Not called for a literal address, which was judged as it stands.
    lookup: (_host, lookupOptions, callback) => {
      const [first] = judged;
      if (lookupOptions.all) callback(null, judged);
      else callback(null, first!.address, first!.family);
    },
    // Each host serves one resource now and then, so keeping connections gains nothing.
    ...(opened ? { createConnection: () => opened } : { agent: false }),
    method: post ? "POST" : "GET",
    headers: {
      "user-agent": userAgent,
      "accept-encoding": "gzip",
      ...(post && { ...post.headers, "content-length": post.body.length }),
    },
  };
  const request =
    url.protocol === "https:"
      ? https.request(url, options, resolve)
      : http.request(url, options, resolve);
  request.on("error", reject);
  // A tunnel's socket is paused, so that nothing is lost before somebody reads.
  if (opened) request.once("socket", (socket) => socket.resume());
  request.end(post?.body);
  return promise;
}

async function readBody(
  reply: http.IncomingMessage,
  { bytesMax, signal }: HttpQuestion,
): Promise<Uint8Array[]> {
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
  await pipeline(reply, collect, { signal });
  return parts;
}
