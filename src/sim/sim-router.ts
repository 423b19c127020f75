import { type Endpoint, formatEndpoint } from "../base/endpoint.ts";
import type { SimDatagrams, SimDatagramSocket } from "./sim-datagrams.ts";
import type { Simulation } from "./simulation.ts";

const FIRST_OUTER_PORT = 40_000;
/** A port is kept this long after the last packet out of it (RFC 4787 recommends five minutes). */
const KEPT_MS = 300_000;

export interface SimRouterOptions {
  readonly simulation: Simulation;
  /** The world outside. */
  readonly datagrams: SimDatagrams;
  /** Its own address there. */
  readonly address: string;
  /** `cone`: one port outside for each port inside. `symmetric`: another one for each address that is called. */
  readonly kind: "cone" | "symmetric";
  /** Whether a port outside has the number of the one inside, while nobody else has it. */
  readonly keepsPorts: boolean;
}

/** A port outside. */
interface Mapping {
  readonly socket: SimDatagramSocket;
  /** When each address was called from it the last time, by `formatEndpoint`. */
  readonly called: Map<string, number>;
}

/**
 * The router of a home: machines behind it call into the world from its address, and only whom they call gets an answer
 * through, to the address and port that called (RFC 4787: address and port-dependent filtering).
 */
export class SimRouter {
  readonly #options: SimRouterOptions;
  readonly #mappings = new Map<string, Mapping>();
  readonly #taken = new Set<number>();
  #nextPort = FIRST_OUTER_PORT;
  /** Packets from outside that it let nobody have. */
  refused = 0;

  constructor(options: SimRouterOptions) {
    this.#options = options;
  }

  /** A socket of a machine behind it. Machines behind it do not reach each other. */
  open(local: Endpoint, receive: (packet: Uint8Array, from: Endpoint) => void): SimDatagramSocket {
    const inner = formatEndpoint(local);
    let isOpen = true;
    const deliver = (packet: Uint8Array, from: Endpoint): void => {
      if (isOpen) receive(packet, from);
    };
    return {
      send: (packet, to) => {
        const { called, socket } = this.#mapping({ inner, port: local.port, to }, deliver);
        called.set(formatEndpoint(to), this.#options.simulation.nowMs());
        socket.send(packet, to);
      },
      close: () => {
        isOpen = false;
      },
    };
  }

  #mapping(
    { inner, port, to }: { readonly inner: string; readonly port: number; readonly to: Endpoint },
    deliver: (packet: Uint8Array, from: Endpoint) => void,
  ): Mapping {
    const { datagrams, address, kind, simulation } = this.#options;
    const key = kind === "cone" ? inner : `${inner} ${formatEndpoint(to)}`;
    const known = this.#mappings.get(key);
    if (known) return known;
    const called = new Map<string, number>();
    const outer = { address, port: this.#newPort(port) };
    const socket = datagrams.open(outer, (packet, from) => {
      const calledAtMs = called.get(formatEndpoint(from));
      if (calledAtMs === undefined || simulation.nowMs() - calledAtMs > KEPT_MS) this.refused += 1;
      else deliver(packet, from);
    });
    const mapping = { socket, called };
    this.#mappings.set(key, mapping);
    return mapping;
  }

  #newPort(inner: number): number {
    const port = this.#options.keepsPorts && !this.#taken.has(inner) ? inner : this.#nextPort;
    if (port === this.#nextPort) this.#nextPort += 1;
    this.#taken.add(port);
    return port;
  }
}
