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
 * Of one address: an office behind one line fits, and a stranger with many sockets keeps nobody else out (HUB-25).
 * Proxies and this machine speak for many and are not counted.
 */
const CONNECTIONS_PER_ADDRESS_MAX = 256;
/** With so many open, one that moves next to nothing ends for each new one (HUB-47). */
const CONNECTIONS_CROWDED = CONNECTIONS_MAX - 256;
/**
 * How long the web port waits (HUB-25, TRK-12). Uploads may take days, so there is no limit for a whole
 * request; what is silent for a minute ends, and only uploads may deliver their bodies slowly.
 */
const PATIENCE = {
  headersMs: 10_000,
  bodyMs: 30_000,
  idleMs: 60_000,
  keepAliveMs: 15_000,
  /** How often headers are looked after. */
  checkIntervalMs: 2_000,
};
/** Answers under way may end; then connections are cut. */
const CLOSE_GRACE_MS = 1_500;

/** Whose bodies anything here reads. */
const BODY_METHODS: ReadonlySet<string | undefined> = new Set(["POST", "PUT", "PATCH", "DELETE"]);

/** A web server that is bound before it is known what it answers. */
export interface WebServer {
  readonly host: string;
  readonly port: number;
  /** From now on requests are answered; before, they wait for a moment and are told to come back. */
  serve(handle: WebHandler): void;
  close(): Promise<void>;
}

export interface WebServerOptions {
  readonly host: string;
  readonly port: number;
  /** Addresses whose `X-Forwarded-For` is believed, last hop only (TRK-2). */
  readonly proxies: readonly string[];
  /** Called for each request that a proxy on this machine passed on which is not one of `proxies`. */
  readonly onUnnamedProxy?: ((address: string) => void) | undefined;
  /** Whether a request may deliver its body slowly. */
  readonly isUpload: (method: string, path: string) => boolean;
  /** Makes what the reader of a body gets whose connection ended first. */
  readonly bodyCut: () => Error;
  readonly faults: OutsideFaults;
}

/** What proxies add to what they pass on. */
const FORWARDING_HEADERS = [
  "forwarded",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-forwarded-proto",
  "x-real-ip",
];

/**
 * @param speaksForMany - Addresses whose connections are not counted, besides the proxies.
 * @throws (rejects with) the system's error when the port cannot be had.
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

/** The same request. Its body comes without copies, and tells the end of the connection from faults of ours. */
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

/** Also behind an answer: a body nobody reads any more would keep its connection as long as it likes. */
function limitBodyTime(incoming: IncomingMessage, bodyMs: number): void {
  const { socket } = incoming;
  if (!hasBody(incoming)) return;
  const timer = setTimeout(() => {
    if (!incoming.complete) socket.destroy();
  }, bodyMs);
  incoming.once("close", () => clearTimeout(timer));
}

/** HTTP/1.0 need not say whom it asks; old BitTorrent clients do not (PUB-3.2). The address it came to is it. */
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
    // It is this machine that connects, but not somebody on this machine who asks.
    onUnnamedProxy?.(remote);
    return { remoteAddress: "", localAddress: undefined, unnamedProxy: true };
  }
  const forwarded = incoming.headersDistinct["x-forwarded-for"]?.join(",") ?? null;
  const client = clientAddress(remote, forwarded);
  // Behind a proxy the socket's end is the proxy's business. A proxy that does not say for whom it asks is
  // no reason to take everybody for somebody on this machine.
  return {
    remoteAddress: client && forwarded !== null ? formatAddress(client) : "",
    localAddress: undefined,
  };
}

/** IPv4 through an IPv6 socket is IPv4 (TRK-21). */
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
