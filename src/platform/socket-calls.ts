import { request as open } from "node:http";
import type { HttpAnswer, HttpCalls, HttpRequest, HttpStream, HttpStreams } from "../ports/net.ts";

/** Sends HTTP requests to a program on this machine that serves a Unix socket, whatever host their URLs name. */
export class SocketCalls implements HttpCalls, HttpStreams {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  async send(request: HttpRequest): Promise<HttpAnswer> {
    const { method, url, headers, body, timeoutMs, bytesMax } = request;
    const signal = AbortSignal.any([request.signal, AbortSignal.timeout(timeoutMs)]);
    const { pathname, search } = new URL(url);
    const sent = await new Promise<Pick<HttpAnswer, "status" | "body">>((resolve, reject) => {
      const options = { socketPath: this.#path, path: pathname + search, method, headers, signal };
      const asking = open({ ...options, agent: false }, (answer) => {
        const chunks: Buffer[] = [];
        let length = 0;
        answer.on("data", (chunk: Buffer) => {
          length += chunk.length;
          chunks.push(chunk);
          if (length <= bytesMax) return;
          resolve({ status: answer.statusCode ?? 0, body: undefined });
          answer.destroy();
        });
        answer.once("error", reject);
        answer.once("end", () => {
          resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(chunks) });
        });
      });
      asking.once("error", reject);
      asking.end(body);
    });
    return { ...sent, location: undefined };
  }

  async follow({ url, signal }: Pick<HttpRequest, "url" | "signal">): Promise<HttpStream> {
    const { pathname, search } = new URL(url);
    const options = { socketPath: this.#path, path: pathname + search, signal, agent: false };
    return new Promise((resolve, reject) => {
      const asking = open(options, (answer) => {
        resolve({ status: answer.statusCode ?? 0, chunks: answer as AsyncIterable<Buffer> });
      });
      asking.once("error", reject);
      asking.end();
    });
  }
}
