import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { getRequestListener } from "@hono/node-server";
import { formatAddress } from "../base/endpoint.ts";
import { asHostName, isLoopback } from "../base/host-name.ts";
import type { RequestContext, WebHandler } from "../ports/web.ts";
import type { OutsideFaults } from "../ports/outside-faults.ts";
import { clientAddress } from "../base/client-address.ts";
import { answerBrokenHttp } from "./broken-http.ts";
import { ConnectionCap } from "./connection-cap.ts";
import { rawBody } from "./raw-body.ts";

const HEADER_BYTES_MAX = 16 * 1024;
const CONNECTIONS_MAX = 4_096;
/**
 * Connections of one address: enough for an office behind one line, while a stranger with many
 * sockets keeps nobody else out (HUB-25). Proxies and this machine serve many people and are not
 * counted.
 */
const CONNECTIONS_PER_ADDRESS_MAX = 256;
/** With this many open, each new connection evicts one that moves next to nothing (HUB-47). */
const CONNECTIONS_CROWDED = CONNECTIONS_MAX - 256;
/**
 * Time limits of the web port (HUB-25, TRK-12). Uploads may take days, so a whole request has no
 * limit; a connection silent for a minute ends, and only uploads may deliver their bodies slowly.
 */
const PATIENCE = {
  headersMs: 10_000,
  bodyMs: 30_000,
  idleMs: 60_000,
  keepAliveMs: 15_000,
  /** How often to check for late headers. */
  checkIntervalMs: 2_000,
};
/** On shutdown, answers under way get this long; then connections are cut. */
const CLOSE_GRACE_MS = 1_500;

/** Methods whose bodies are read. */
const BODY_METHODS: ReadonlySet<string | undefined> = new Set(["POST", "PUT", "PATCH", "DELETE"]);

/** A web server that binds its port before its handler is known. */
export interface WebServer {
  readonly host: string;
  readonly port: number;
  /** Answers requests from now on; before that they wait for a moment and are told to come back. */
  serve(handle: WebHandler): void;
  close(): Promise<void>;
}

export interface WebServerOptions {
  readonly host: string;
  readonly port: number;
  /** Proxies whose `X-Forwarded-For` is believed, last hop only (TRK-2). */
  readonly proxies: readonly string[];
  /** Called for each request from a proxy on this machine that is not in `proxies`. */
  readonly onUnnamedProxy?: ((address: string) => void) | undefined;
  /** Whether a request may deliver its body slowly. */
  readonly isUpload: (method: string, path: string) => boolean;
  /** Makes the error for the reader of a body when the connection ends first. */
  readonly bodyCut: () => Error;
  readonly faults: OutsideFaults;
}

/** Headers that proxies add to the requests they forward. */
const FORWARDING_HEADERS = [
  "forwarded",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-forwarded-proto",
  "x-real-ip",
];

/**
 * @param speaksForMany - Addresses, besides the proxies, whose connections are not counted.
 * @throws (rejects with) the system's error when it cannot bind the port.
 */
export async function openWebServer(
  options: WebServerOptions,
  patience = PATIENCE,
  speaksForMany: (address: string) => boolean = isLoopback,
): Promise<WebServer> {
  const proxies = new Set(options.proxies);
  const { faults, bodyCut } = options;
  let handle: WebHandler = () => Promise.resolve(notYet());
  const listener = getRequestListener((request, env) => {
    const { incoming, outgoing } = env as { incoming: IncomingMessage; outgoing: ServerResponse };
    const context = contextOf(incoming, proxies, options.onUnnamedProxy);
    const cut = (): void => void outgoing.destroy();
    return handle(withRawBody(request, incoming, { faults, bodyCut }), { ...context, cut });
  });
  const server = createServer(
    {
      maxHeaderSize: HEADER_BYTES_MAX,
      headersTimeout: patience.headersMs,
      requestTimeout: 0,
      keepAliveTimeout: patience.keepAliveMs,
      connectionsCheckingInterval: patience.checkIntervalMs,
      noDelay: true,
    },
    (incoming, outgoing) => {
      if (!options.isUpload(incoming.method ?? "", incoming.url ?? "")) {
        limitBodyTime(incoming, patience.bodyMs);
      }
      nameHost(incoming);
      void listener(incoming, outgoing);
    },
  );
  server.maxConnections = CONNECTIONS_MAX;
  const cap = new ConnectionCap(
    { perAddress: CONNECTIONS_PER_ADDRESS_MAX, crowded: CONNECTIONS_CROWDED },
    () => performance.now(),
  );
  server.prependListener("connection", (socket) => {
    const address = plain(socket.remoteAddress);
    if (address === undefined || proxies.has(address) || speaksForMany(address)) return;
    const end = cap.admit(address, {
      movedBytes: () => socket.bytesRead + socket.bytesWritten,
      cut: () => {
        faults.count("slow-reader", { address });
        socket.destroy();
      },
    });
    if (end) socket.once("close", end);
    else socket.destroy();
  });
  answerBrokenHttp(server, faults);
  server.setTimeout(patience.idleMs);
  await listening(server, options);
  const { port } = server.address() as AddressInfo;
  return {
    host: options.host,
    port,
    serve: (wanted) => {
      handle = wanted;
    },
    close: () => closed(server),
  };
}

/**
 * The same request, with a body that is not copied, and that tells a closed connection from our own
 * faults.
 */
function withRawBody(
  request: Request,
  incoming: IncomingMessage,
  { faults, bodyCut }: Pick<WebServerOptions, "faults" | "bodyCut">,
): Request {
  if (!hasBody(incoming) || !BODY_METHODS.has(incoming.method)) return request;
  const address = plain(incoming.socket.remoteAddress);
  const body = rawBody(incoming, () => {
    faults.count("cut-request", { address });
    return bodyCut();
  });
  const { method, url, headers } = request;
  return new Request(url, { method, headers, body, duplex: "half" });
}

function hasBody({ headers }: IncomingMessage): boolean {
  return "content-length" in headers || "transfer-encoding" in headers;
}

/**
 * Also after an answer: an unread body would hold its connection for as long as the sender likes.
 */
function limitBodyTime(incoming: IncomingMessage, bodyMs: number): void {
  const { socket } = incoming;
  if (!hasBody(incoming)) return;
  const timer = setTimeout(() => {
    if (!incoming.complete) socket.destroy();
  }, bodyMs);
  incoming.once("close", () => clearTimeout(timer));
}

/**
 * HTTP/1.0 requires no Host header, and old BitTorrent clients send none (PUB-3.2); use the address
 * that received the request.
 */
function nameHost(incoming: IncomingMessage): void {
  if (incoming.httpVersion !== "1.0" || incoming.headers.host !== undefined) return;
  const { localAddress = "", localPort } = incoming.socket;
  incoming.headers.host = `${asHostName(localAddress)}:${localPort}`;
  incoming.rawHeaders.push("Host", incoming.headers.host);
}

function contextOf(
  incoming: IncomingMessage,
  proxies: ReadonlySet<string>,
  onUnnamedProxy: WebServerOptions["onUnnamedProxy"],
): RequestContext {
  const { remoteAddress, localAddress } = incoming.socket;
  const remote = plain(remoteAddress) ?? "";
  if (!proxies.has(remote)) {
    if (!isLoopback(remote) || FORWARDING_HEADERS.every((name) => !(name in incoming.headers))) {
      return { remoteAddress: remote, localAddress: plain(localAddress) };
    }
    // This machine made the connection, but on behalf of a client elsewhere.
    onUnnamedProxy?.(remote);
    return { remoteAddress: "", localAddress: undefined, unnamedProxy: true };
  }
  const forwarded = incoming.headersDistinct["x-forwarded-for"]?.join(",") ?? null;
  const client = clientAddress(remote, forwarded);
  // Behind a proxy the socket's remote address is the proxy's. A proxy that does not name its
  // client is no reason to treat every client as one on this machine.
  return {
    remoteAddress: client && forwarded !== null ? formatAddress(client) : "",
    localAddress: undefined,
  };
}

/** IPv4 through an IPv6 socket becomes IPv4 (TRK-21). */
function plain(address: string | undefined): string | undefined {
  return address?.replace(/^::ffff:(?=[0-9.]+$)/i, "");
}

function notYet(): Response {
  return new Response("This hub is starting.\n", { status: 503, headers: { "retry-after": "1" } });
}

async function listening(server: Server, address: { host: string; port: number }): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(address.port, address.host, resolve);
  });
}

async function closed(server: Server): Promise<void> {
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
    setTimeout(() => server.closeAllConnections(), CLOSE_GRACE_MS).unref();
  });
}
