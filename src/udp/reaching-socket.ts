import type { Endpoint } from "../base/endpoint.ts";
import { isLoopback } from "../base/host-name.ts";
import type { DatagramNet, DatagramSocket } from "../ports/net.ts";

/**
 * Sends through a socket what that socket reaches, and the rest through one that is opened for it, at any address and
 * port. A port that listens at 127.0.0.1 reaches this machine only, and one of IPv4 no IPv6.
 */
export class ReachingSocket implements DatagramSocket {
  readonly local: Endpoint;
  readonly #socket: DatagramSocket;
  readonly #net: DatagramNet;
  readonly #receive: (bytes: Uint8Array, from: Endpoint) => void;
  #other: Promise<DatagramSocket | undefined> | undefined;
  #isClosed = false;

  constructor(
    socket: DatagramSocket,
    net: DatagramNet,
    receive: (bytes: Uint8Array, from: Endpoint) => void,
  ) {
    this.local = socket.local;
    this.#socket = socket;
    this.#net = net;
    this.#receive = receive;
  }

  send(bytes: Uint8Array, to: Endpoint): void {
    if (reaches(this.local, to)) this.#socket.send(bytes, to);
    else void this.#sendOtherwise(bytes.slice(), to);
  }

  afterBurst(fire: () => void): void {
    this.#socket.afterBurst(fire);
  }

  close(): void {
    this.#isClosed = true;
    this.#socket.close();
    void this.#other?.then((other) => other?.close());
  }

  async #sendOtherwise(bytes: Uint8Array, to: Endpoint): Promise<void> {
    this.#other ??= this.#openOther();
    const other = await this.#other;
    if (!this.#isClosed) other?.send(bytes, to);
  }

  /** Without a socket the packet counts as lost, as one does that no way leads to. */
  #openOther(): Promise<DatagramSocket | undefined> {
    const bind = (host: string): Promise<DatagramSocket> =>
      this.#net.bind({ host, port: 0, receive: this.#receive });
    return bind("::")
      .catch(() => bind("0.0.0.0"))
      .catch(() => undefined);
  }
}

/** @returns Whether packets from this local address may lead there. */
function reaches(local: Endpoint, to: Endpoint): boolean {
  if (local.address === "::") return true;
  if (local.address.includes(":") !== to.address.includes(":")) return false;
  return !isLoopback(local.address) || isLoopback(to.address);
}
