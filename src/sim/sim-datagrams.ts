import type { Endpoint } from "../base/endpoint.ts";
import { formatEndpoint } from "../base/endpoint.ts";
import type { Random } from "../ports/random.ts";
import type { Simulation } from "./simulation.ts";

export interface SimDatagramsOptions {
  readonly simulation: Simulation;
  readonly random: Random;
  /** One way; each packet takes between half and one and a half of it. */
  readonly latencyMs: number;
  /** Packets that are lost, in a thousand. */
  readonly lossPerMille: number;
}

/** A socket of one simulated machine. */
export interface SimDatagramSocket {
  send(packet: Uint8Array, to: Endpoint): void;
  close(): void;
}

/** UDP between simulated machines: packets are late, lost and out of order, and nobody is told. */
export class SimDatagrams {
  readonly #options: SimDatagramsOptions;
  readonly #sockets = new Map<string, (packet: Uint8Array, from: Endpoint) => void>();
  /** Packets that were sent, lost ones included. */
  sent = 0;

  constructor(options: SimDatagramsOptions) {
    this.#options = options;
  }

  /** @param receive - Is called with packets to this endpoint until the socket is closed. */
  open(local: Endpoint, receive: (packet: Uint8Array, from: Endpoint) => void): SimDatagramSocket {
    const key = formatEndpoint(local);
    this.#sockets.set(key, receive);
    return {
      send: (packet, to) => this.#send(packet, local, to),
      close: () => {
        if (this.#sockets.get(key) === receive) this.#sockets.delete(key);
      },
    };
  }

  /** Sends as somebody else would: the sender's address is made up. */
  forge(packet: Uint8Array, from: Endpoint, to: Endpoint): void {
    this.#send(packet, from, to);
  }

  #send(packet: Uint8Array, from: Endpoint, to: Endpoint): void {
    const { simulation, random, latencyMs, lossPerMille } = this.#options;
    this.sent += 1;
    if (random.below(1000) < lossPerMille) return;
    const delayMs = latencyMs / 2 + (latencyMs * random.below(1000)) / 1000;
    // The sender may use its buffer again.
    const copy = Uint8Array.from(packet);
    simulation.startTimer(delayMs, () => this.#sockets.get(formatEndpoint(to))?.(copy, from));
  }
}
