import { type Endpoint, formatEndpoint } from "../base/endpoint.ts";
import type { EndpointAddress } from "../base/peer-address.ts";

/** A connection is worth a queue when so many packets came: more than a handshake, soon enough under a flood. */
const PACKETS_MIN = 8;

/** What is asked of a connection. */
export interface Counted {
  readonly remote: EndpointAddress<"utp">;
  /** Packets from the peer. Only this file changes it. */
  packetsIn: number;
}

interface Queue {
  readonly users: Set<Counted>;
  readonly close: () => void;
}

/**
 * Asks the system for a queue for each peer that sends packets, and gives it back when the last connection with that peer
 * is over. A flood of the port then pushes out packets of strangers only (WIR-21).
 */
export class PeerQueues {
  readonly #open: (remote: Endpoint) => (() => void) | undefined;
  readonly #queues = new Map<string, Queue>();

  constructor(open: (remote: Endpoint) => (() => void) | undefined) {
    this.#open = open;
  }

  /** A packet has come for this connection. */
  countPacket(connection: Counted): void {
    connection.packetsIn += 1;
    if (connection.packetsIn === PACKETS_MIN) this.#add(connection);
  }

  /** The connection is over. */
  remove(connection: Counted): void {
    if (connection.packetsIn < PACKETS_MIN) return;
    const key = formatEndpoint(connection.remote.endpoint);
    const queue = this.#queues.get(key);
    if (!queue?.users.delete(connection) || queue.users.size > 0) return;
    this.#queues.delete(key);
    queue.close();
  }

  #add(connection: Counted): void {
    const { endpoint } = connection.remote;
    const key = formatEndpoint(endpoint);
    const queue = this.#queues.get(key);
    if (queue) {
      queue.users.add(connection);
      return;
    }
    const close = this.#open(endpoint);
    if (close) this.#queues.set(key, { users: new Set([connection]), close });
  }
}
