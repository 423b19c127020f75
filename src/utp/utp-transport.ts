import type { Endpoint } from "../base/endpoint.ts";
import { invariant } from "../base/errors.ts";
import type { EndpointAddress } from "../base/peer-address.ts";
import type { Clock } from "../ports/clock.ts";
import type {
  DatagramNet,
  DatagramSocket,
  DialOptions,
  ListenOptions,
  PeerTransport,
  StreamConnection,
  StreamHandler,
  StreamListener,
} from "../ports/net.ts";
import type { Random } from "../ports/random.ts";
import { UtpSocket } from "./utp-socket.ts";

/** How long the end waits for what is on its way, and for the goodbyes of peers. */
const LINGER_MS = 1000;
const LINGER_LOOK_MS = 20;

export interface UtpTransportOptions {
  readonly datagrams: DatagramNet;
  readonly clock: Clock;
  readonly random: Random;
  /** False refuses to connect to an address (house rule 8). */
  readonly allowRemote: (remote: Endpoint) => boolean;
}

/** uTP as a way to peers. Calls leave from the port where it listens, so it has to listen before it dials. */
export class UtpTransport implements PeerTransport<"utp"> {
  readonly kind = "utp";
  readonly #options: UtpTransportOptions;
  #socket: UtpSocket | undefined;
  #bound: DatagramSocket | undefined;

  constructor(options: UtpTransportOptions) {
    this.#options = options;
  }

  /** Connections there are, those that are ending included. */
  get count(): number {
    return this.#socket?.count ?? 0;
  }

  async listen({ host, port, accept }: ListenOptions): Promise<StreamListener> {
    const { datagrams, clock, random } = this.#options;
    // A packet that comes before this is done is lost, as packets are.
    let receive: (bytes: Uint8Array, from: Endpoint) => void = () => undefined;
    const bound = await datagrams.bind({
      host,
      port,
      receive: (bytes, from) => receive(bytes, from),
    });
    let isListening = true;
    const socket = new UtpSocket({
      local: bound.local,
      clock,
      random,
      send: (bytes, to) => bound.send(bytes, to),
      bytesMaxTo: (address) => bound.bytesMaxTo?.(address),
      openQueue: (remote) => bound.openQueue?.(remote),
      soon: (fire) => bound.afterBurst(fire),
      accept: (connection) => (isListening ? accept(connection) : undefined),
    });
    receive = (bytes, from) => socket.handleDatagram(bytes, from);
    this.#socket = socket;
    this.#bound = bound;
    return {
      local: bound.local,
      close: () => {
        isListening = false;
      },
    };
  }

  dial(
    { endpoint }: EndpointAddress<"utp">,
    handler: StreamHandler,
    options: DialOptions,
  ): StreamConnection {
    const socket = this.#socket;
    invariant(socket, "a session listens before it dials");
    if (this.#options.allowRemote(endpoint)) return socket.dial(endpoint, handler, options);
    const message = `connecting to ${endpoint.address} is not allowed`;
    return socket.refuse(endpoint, handler, { code: "EACCES", message });
  }

  /** Ends what is left when its owner has ended its connections: first it waits for a second that they end by themselves. */
  async close(): Promise<void> {
    const { clock } = this.#options;
    const endMs = clock.nowMs() + LINGER_MS;
    while (this.count > 0 && clock.nowMs() < endMs) {
      await new Promise<void>((resolve) => void clock.startTimer(LINGER_LOOK_MS, resolve));
    }
    this.#socket?.close();
    this.#bound?.close();
  }
}
