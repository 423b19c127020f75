import type { HttpAnswer, HttpCalls, HttpRequest } from "../ports/net.ts";

/** Sends requests over HTTP and HTTPS with Node's own client. Certificates are always verified. */
export class NodeHttpCalls implements HttpCalls {
  async send(request: HttpRequest): Promise<HttpAnswer> {
    const { method, url, headers, body, timeoutMs, bytesMax } = request;
    const signal = AbortSignal.any([request.signal, AbortSignal.timeout(timeoutMs)]);
    const response = await fetch(url, {
      method,
      headers,
      signal,
      redirect: "manual",
      body: body instanceof Uint8Array ? new Uint8Array(body) : (body ?? null),
    });
    return {
      status: response.status,
      location: response.headers.get("location") ?? undefined,
      body: await readUpTo(bytesMax, response.body ?? []),
    };
  }
}

async function readUpTo(
  bytesMax: number,
  body: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body) {
    length += chunk.length;
    // Leaving the loop ends the connection.
    if (length > bytesMax) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
