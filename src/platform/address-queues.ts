import type dgram from "node:dgram";
import type { Endpoint } from "../base/endpoint.ts";
import type { Log } from "../ports/log.ts";

/** Each is a socket; whoever has none shares the queue of the port. */
const QUEUES_MAX = 128;

export interface AddressQueuesOptions {
  /** Makes a socket whose packets are handled as those of the port are. */
  readonly createSocket: () => dgram.Socket;
  /** Called when one is bound. */
  readonly onBound: (socket: dgram.Socket) => void;
  /** As the port is bound. */
  readonly at: Endpoint;
  /** The literal that such a socket sends to; `undefined` when it cannot. */
  readonly literal: (address: string) => string | undefined;
  readonly log: Log;
}

/**
 * Queues of the system for the packets from one address each, beside that of the port. Each is another socket of the same
 * port that is connected to that address: the system prefers it. So a flood fills the queue of the port alone, and what is
 * read from it takes turns with the others.
 */
export class AddressQueues {
  readonly #options: AddressQueuesOptions;
  readonly #sockets = new Set<dgram.Socket>();

  constructor(options: AddressQueuesOptions) {
    this.#options = options;
  }

  /**
   * Opens a queue soon. Without one packets go on to come through that of the port.
   *
   * @returns Gives the queue back; safe to repeat.
   */
  open(remote: Endpoint): () => void {
    const address = this.#options.literal(remote.address);
    if (address === undefined || this.#sockets.size >= QUEUES_MAX) return () => undefined;
    const socket = this.#options.createSocket();
    this.#sockets.add(socket);
    const close = (): void => {
      if (this.#sockets.delete(socket)) socket.close();
    };
    socket.on("error", (error) => {
      // Also when the other side is gone: the system tells a connected socket.
      this.#options.log.debug("a queue for one address is closed", { cause: error.message });
      close();
    });
    const { at } = this.#options;
    socket.bind({ address: at.address, port: at.port }, () => {
      if (!this.#sockets.has(socket)) return;
      this.#options.onBound(socket);
      socket.connect(remote.port, address);
    });
    return close;
  }

  close(): void {
    for (const socket of this.#sockets) socket.close();
    this.#sockets.clear();
  }
}
