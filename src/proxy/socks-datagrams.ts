import { type Endpoint, formatEndpoint } from "../base/endpoint.ts";
import { tcpAddress } from "../base/peer-address.ts";
import type { Clock, Timer } from "../ports/clock.ts";
import type { Log } from "../ports/log.ts";
import type {
  DatagramNet,
  DatagramSocket,
  NetFailure,
  PeerTransport,
  StreamConnection,
} from "../ports/net.ts";
import type { NameStandIns } from "./name-stand-ins.ts";
import { ProxiedStream } from "./proxied-stream.ts";
import { ProxyError } from "./proxy-error.ts";
import type { ProxyPlace } from "./proxy-place.ts";
import type { ProxyAddress } from "./proxy-url.ts";
import { isReply } from "./reply-shape.ts";
import { unwrapDatagram, wrapDatagram } from "./socks-datagram.ts";
import { SocksHandshake } from "./socks-handshake.ts";

/** The proxy's answers to a request for a relay. */
const ASSOCIATE_MS = 10_000;
/** Wait before a relay that went away is asked for again, doubled by each failure. */
const RETRY_MS = 1_000;
const RETRY_MS_MAX = 60_000;
/** Names that packets were sent to on one port. */
const NAMES_PER_PORT_MAX = 64;
const PORTS_MAX = 256;

export interface SocksDatagramsOptions {
  readonly proxy: ProxyAddress;
  readonly place: ProxyPlace;
  /** Reaches the proxy. */
  readonly streams: PeerTransport<"tcp">;
  /** Reaches the proxy's relay. */
  readonly datagrams: Pick<DatagramNet, "bind">;
  readonly names: NameStandIns;
  readonly clock: Clock;
  readonly log: Log;
}

type Receive = Parameters<DatagramNet["bind"]>[0]["receive"];

interface BindOptions {
  readonly port?: number;
  readonly receive: Receive;
}

/**
 * UDP through the relay of a SOCKS5 proxy (`UDP ASSOCIATE`). Names are resolved there. While there is no relay packets
 * are lost, as packets are: none goes around it (WIR-27).
 */
export class SocksDatagrams implements DatagramNet {
  readonly #options: SocksDatagramsOptions;

  constructor(options: SocksDatagramsOptions) {
    this.#options = options;
  }

  /** @throws {ProxyError} (rejects) when the proxy gives no relay. */
  bind({ port = 0, receive }: BindOptions): Promise<DatagramSocket> {
    return RelayedSocket.open(this.#options, { port, receive });
  }

  async resolve(host: string): Promise<readonly string[]> {
    return [this.#options.names.of(host)];
  }
}

/** One socket of ours, and its relay at the proxy. */
class RelayedSocket implements DatagramSocket {
  readonly #options: SocksDatagramsOptions;
  readonly #receive: Receive;
  /** By port, the stand-ins of names that packets were sent to. */
  readonly #namesOnPort = new Map<number, Set<string>>();
  #relay: Relay | undefined;
  #retry: Timer | undefined;
  #retryMs = RETRY_MS;
  #isClosed = false;

  /** Both families, and the port that was asked for: the relay's is not ours to tell, and nobody sends there unasked. */
  readonly local: Endpoint;

  private constructor(options: SocksDatagramsOptions, { port, receive }: Required<BindOptions>) {
    this.#options = options;
    this.#receive = receive;
    this.local = { address: "::", port };
  }

  static async open(
    options: SocksDatagramsOptions,
    asked: Required<BindOptions>,
  ): Promise<RelayedSocket> {
    const socket = new RelayedSocket(options, asked);
    await socket.#connect();
    return socket;
  }

  send(bytes: Uint8Array, to: Endpoint): void {
    const relay = this.#relay;
    if (!relay || to.port === 0) return;
    const name = this.#options.names.nameOf(to.address);
    if (name !== undefined) this.#noteName(to);
    relay.socket.send(wrapDatagram(bytes, { host: name ?? to.address, port: to.port }), relay.at);
  }

  afterBurst(fire: () => void): void {
    const socket = this.#relay?.socket;
    if (socket) socket.afterBurst(fire);
    else this.#options.clock.startTimer(0, fire);
  }

  close(): void {
    this.#isClosed = true;
    this.#retry?.cancel();
    this.#relay?.control.destroy();
    this.#relay?.socket.close();
    this.#relay = undefined;
  }

  async #connect(): Promise<void> {
    const control = await associate(this.#options, () => this.#handleLost());
    try {
      const { at, stream } = control;
      const socket = await this.#options.datagrams.bind({
        host: at.address.includes(":") ? "::" : "0.0.0.0",
        port: 0,
        receive: (bytes, from) => {
          if (from.port === at.port && from.address === at.address) this.#take(bytes);
        },
      });
      this.#relay = { at, socket, control: stream };
      this.#retryMs = RETRY_MS;
    } catch (error) {
      control.stream.destroy();
      throw error;
    }
    if (this.#isClosed) this.close();
  }

  #handleLost(): void {
    const { clock, log } = this.#options;
    this.#relay?.socket.close();
    this.#relay = undefined;
    if (this.#isClosed) return;
    log.debug("the proxy's relay for datagrams is gone", { retryMs: this.#retryMs });
    this.#retry = clock.startTimer(this.#retryMs, () => {
      this.#retryMs = Math.min(this.#retryMs * 2, RETRY_MS_MAX);
      this.#connect().catch((error: unknown) => {
        log.debug("the proxy gives no relay for datagrams", { cause: String(error) });
        this.#handleLost();
      });
    });
  }

  #take(wrapped: Uint8Array): void {
    const datagram = unwrapDatagram(wrapped);
    if (!datagram || datagram.from.isName) return;
    const { from, bytes } = datagram;
    this.#receive(bytes, { address: from.host, port: from.port });
    // What a name answers comes from an address that was never told: whoever asked it knows its answer.
    if (!isReply(bytes)) return;
    for (const address of this.#namesOnPort.get(from.port) ?? []) {
      this.#receive(bytes, { address, port: from.port });
    }
  }

  #noteName({ address, port }: Endpoint): void {
    const names = this.#namesOnPort.get(port) ?? new Set();
    if (names.size >= NAMES_PER_PORT_MAX || this.#namesOnPort.size >= PORTS_MAX) return;
    this.#namesOnPort.set(port, names.add(address));
  }
}

interface Relay {
  /** Where the relay takes packets. */
  readonly at: Endpoint;
  readonly socket: DatagramSocket;
  /** The relay lives as long as this connection. */
  readonly control: StreamConnection;
}

/** @throws {ProxyError} (rejects) */
function associate(
  { proxy, place, streams, clock }: SocksDatagramsOptions,
  onLost: () => void,
): Promise<{ readonly at: Endpoint; readonly stream: StreamConnection }> {
  const { promise, resolve, reject } = Promise.withResolvers<{
    readonly at: Endpoint;
    readonly stream: StreamConnection;
  }>();
  const { endpoint } = place;
  let isOpen = false;
  let refusal: ProxyError | undefined;
  const target = { host: "0.0.0.0", port: 0 };
  const stream: ProxiedStream = new ProxiedStream({
    remote: tcpAddress(endpoint),
    handshake: new SocksHandshake({ command: "associate", target, login: proxy.login }),
    clock,
    timeoutMs: ASSOCIATE_MS,
    connect: (asking) => streams.dial(tcpAddress(endpoint), asking, { timeoutMs: ASSOCIATE_MS }),
    onUnreachable: () => place.handleUnreachable(),
    onError: (error) => {
      refusal = error;
    },
    onOpen: ({ bound }) => {
      isOpen = true;
      if (!bound || bound.port === 0) {
        stream.destroy();
        reject(new ProxyError("bad-reply", "the proxy does not say where its relay is"));
        return;
      }
      resolve({ at: isAny(bound) ? { ...bound, address: endpoint.address } : bound, stream });
    },
    handler: {
      handleOpen: () => undefined,
      handleBytes: () => undefined,
      handleSent: () => undefined,
      handleClose: (failure) => {
        if (isOpen) onLost();
        else reject(refusal ?? unreachable(endpoint, failure));
      },
    },
  });
  return promise;
}

function unreachable(endpoint: Endpoint, failure: NetFailure | undefined): ProxyError {
  const why = failure?.message ?? `no answer from ${formatEndpoint(endpoint)}`;
  return new ProxyError("unreachable", why);
}

/** Many proxies name no address of their relay: it is where they are. */
function isAny({ address }: Endpoint): boolean {
  return address === "0.0.0.0" || address === "::";
}
