import { randomBytes } from "node:crypto";
import {
  createServer,
  type IncomingMessage,
  request,
  type Server,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import { pipeline } from "node:stream/promises";

const LOOPBACK = "127.0.0.1";
const SECRET_BYTES = 16;
/** Players open several connections at once; more wait at the system. */
const CONNECTIONS_MAX = 32;
/** What a player says of the part that it wants. */
const ASKED = ["range", "if-range", "if-none-match"] as const;

/**
 * Serves files of the node on this machine to players, which know no Unix sockets: at an address of loopback with a
 * secret in it, as long as the command runs.
 */
export class MediaDoor {
  readonly #socket: string;
  readonly #server: Server;
  readonly #paths = new Map<string, string>();

  /** @param socket - The path of the node's control socket. */
  constructor(socket: string) {
    this.#socket = socket;
    this.#server = createServer((asked, answer) => {
      void this.#pass(asked, answer);
    });
    this.#server.maxConnections = CONNECTIONS_MAX;
  }

  /** Begins to listen. */
  async open(): Promise<void> {
    const listening = Promise.withResolvers<void>();
    this.#server.once("error", listening.reject);
    this.#server.listen(0, LOOPBACK, listening.resolve);
    await listening.promise;
  }

  /**
   * @param path - Of the control API.
   * @param name - For the player's title, and by its ending for the kind of file.
   * @returns An address that leads there.
   */
  add(path: string, name: string): string {
    const own = `/${randomBytes(SECRET_BYTES).toString("hex")}/${encodeURIComponent(name)}`;
    this.#paths.set(own, path);
    const { port } = this.#server.address() as AddressInfo;
    return `http://${LOOPBACK}:${port}${own}`;
  }

  /** Ends all answers that are under way. */
  async close(): Promise<void> {
    const closed = Promise.withResolvers<void>();
    this.#server.close(() => closed.resolve());
    this.#server.closeAllConnections();
    await closed.promise;
  }

  async #pass(asked: IncomingMessage, answer: ServerResponse): Promise<void> {
    const path = this.#paths.get(asked.url ?? "");
    const isRead = asked.method === "GET" || asked.method === "HEAD";
    if (path === undefined || !isRead) {
      answer.writeHead(path === undefined ? 404 : 405).end();
      return;
    }
    const headers: Record<string, string> = { host: "localhost" };
    for (const name of ASKED) {
      const value = asked.headers[name];
      if (typeof value === "string") headers[name] = value;
    }
    const options = { socketPath: this.#socket, path, method: asked.method, headers, agent: false };
    const passed = request(options);
    // A player that seeks hangs up: then the node stops fetching for it.
    answer.once("close", () => passed.destroy());
    try {
      const got = await new Promise<IncomingMessage>((resolve, reject) => {
        passed.once("response", resolve).once("error", reject).end();
      });
      answer.writeHead(got.statusCode ?? 502, got.headers);
      await pipeline(got, answer);
    } catch {
      // Either end has gone, or the node has: a cut answer says so, and there is nobody else to tell.
      if (!answer.headersSent) answer.writeHead(502).end();
      else answer.destroy();
    }
  }
}
