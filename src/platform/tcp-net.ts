import net from "node:net";
import type { Endpoint } from "../base/endpoint.ts";
import type { EndpointAddress } from "../base/peer-address.ts";
import { type Log, SILENT_LOG } from "../ports/log.ts";
import type {
  DialOptions,
  ListenOptions,
  NetFailure,
  PeerTransport,
  StreamConnection,
  StreamHandler,
  StreamListener,
} from "../ports/net.ts";
import type { LocalAddress } from "./open-socket.ts";
import { openEndpoint, toNetFailure } from "./socket-address.ts";
import { TcpConnection } from "./tcp-connection.ts";
import { TcpSendQueues } from "./tcp-send-queues.ts";

/** One read takes at most this much from the kernel's buffer; larger reads gained nothing. */
const RECEIVE_BUFFER_BYTES = 256 * 1024;

export interface TcpNetOptions {
  readonly log?: Log | undefined;
  /** False refuses to connect to an address (house rule 8). Default: all are allowed. */
  readonly allowRemote?: ((remote: Endpoint) => boolean) | undefined;
  /** Where connections that we open leave from; any address of the system's when left out. */
  readonly localAddress?: LocalAddress | undefined;
  /** False reads through ordinary `data` events, the fallback when Node's internals change. */
  readonly reuseBuffer?: boolean | undefined;
}

/**
 * TCP of the operating system. All connections read into one buffer: Node delivers each read before
 * it makes the next, so the buffer is never in use twice, and a connection needs no memory of its
 * own.
 */
export class TcpNet implements PeerTransport<"tcp"> {
  readonly kind = "tcp";
  readonly #log: Log;
  readonly #allowRemote: (remote: Endpoint) => boolean;
  readonly #localAddress: LocalAddress | undefined;
  readonly #receiveBuffer: Buffer | undefined;
  readonly #sendQueues = new TcpSendQueues();

  constructor(options: TcpNetOptions = {}) {
    this.#log = options.log ?? SILENT_LOG;
    this.#allowRemote = options.allowRemote ?? (() => true);
    this.#localAddress = options.localAddress;
    const reuse = options.reuseBuffer ?? true;
    this.#receiveBuffer = reuse ? Buffer.allocUnsafeSlow(RECEIVE_BUFFER_BYTES) : undefined;
  }

  async listen(options: ListenOptions): Promise<StreamListener & { readonly local: Endpoint }> {
    const server = net.createServer({ pauseOnConnect: true, noDelay: true });
    server.on("connection", (socket) => this.#accept(socket, options));
    await listening(server, options);
    // Out of file descriptors, libuv turns callers away until some are free again (STO-7). No other
    // error with one caller is a reason to stop listening either.
    server.on("error", (error) => {
      this.#log.warn("accepting a connection failed", { code: toNetFailure(error).code });
    });
    const local = openEndpoint(server.address() as net.AddressInfo);
    return { local, close: () => server.close() };
  }

  dial(
    { endpoint }: EndpointAddress<"tcp">,
    handler: StreamHandler,
    options: DialOptions,
  ): StreamConnection {
    const connection = new TcpConnection(endpoint, this.#receiveBuffer, this.#sendQueues);
    connection.attach(handler);
    const refusal = this.#refusal(endpoint);
    if (refusal) connection.refuse(refusal);
    else connection.connect(options.timeoutMs, this.#leavesFrom(endpoint));
    return connection;
  }

  #refusal(endpoint: Endpoint): NetFailure | undefined {
    const { address } = endpoint;
    if (!this.#allowRemote(endpoint)) {
      return { code: "EACCES", message: `connecting to ${address} is not allowed` };
    }
    if (!this.#localAddress || this.#leavesFrom(endpoint) !== undefined) return undefined;
    return { code: "ENETDOWN", message: `the chosen interface does not lead to ${address}` };
  }

  #leavesFrom({ address }: Endpoint): string | undefined {
    return this.#localAddress?.(net.isIPv6(address) ? 6 : 4);
  }

  #accept(socket: net.Socket, options: ListenOptions): void {
    // The caller may have gone already; then the socket has no address any more.
    const { remoteAddress: address, remotePort: port } = socket;
    if (address === undefined || port === undefined) {
      socket.destroy();
      return;
    }
    const connection = new TcpConnection(
      openEndpoint({ address, port }),
      this.#receiveBuffer,
      this.#sendQueues,
    );
    connection.adopt(socket);
    const handler = options.accept(connection);
    if (handler) connection.attach(handler);
    else connection.destroy();
  }
}

function listening(server: net.Server, options: ListenOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => reject(listenError(toNetFailure(error), options));
    server.once("error", fail);
    server.listen({ host: options.host, port: options.port }, () => {
      server.off("error", fail);
      resolve();
    });
  });
}

function listenError(failure: NetFailure, options: ListenOptions): Error {
  const where = `${options.host} port ${options.port}`;
  return Object.assign(new Error(`cannot listen on ${where}: ${failure.message}`), {
    code: failure.code,
  });
}
