import { invariant } from "../base/errors.ts";
import { formatPeerAddress, type PeerAddress, type TransportKind } from "../base/peer-address.ts";
import type {
  DialOptions,
  ListenOptions,
  PeerTransport,
  StreamConnection,
  StreamHandler,
  StreamListener,
} from "../ports/net.ts";
import { netFailure, SimStream, type StreamHost } from "./sim-stream.ts";
import type { Simulation } from "./simulation.ts";

const FIRST_OWN_PORT = 49_152;
/** Introduces all WebRTC peers. */
const INTRODUCER = "wss://tracker.sim";

/** The line of one host. */
export interface SimLink {
  readonly upBytesPerSecond: number;
  readonly downBytesPerSecond: number;
  /** One way, to the middle of the net: the latency between two hosts is the sum of both. */
  readonly latencyMs: number;
  /** How fast its programs read from each connection; at once when absent. */
  readonly readBytesPerSecond?: number | undefined;
}

export interface SimNetOptions {
  readonly simulation: Simulation;
  /** Called for every run of bytes that a receiver gets. */
  readonly onDelivery?:
    | ((from: PeerAddress, to: PeerAddress, bytes: Uint8Array) => void)
    | undefined;
}

/** All hosts and the lines between them. Only the hosts' lines are narrow; the middle is not. */
export class SimNet {
  readonly simulation: Simulation;
  readonly onDelivery: SimNetOptions["onDelivery"];
  readonly #hosts = new Map<string, SimHost>();

  constructor(options: SimNetOptions) {
    this.simulation = options.simulation;
    this.onDelivery = options.onDelivery;
  }

  createHost(address: string, link: SimLink): SimHost {
    invariant(!this.#hosts.has(address), "an address is one host's");
    const host = new SimHost(this, address, link);
    this.#hosts.set(address, host);
    return host;
  }

  /** Finds a host by its address; WebRTC peers are called as their hosts are. */
  find(address: PeerAddress): SimHost | undefined {
    return this.#hosts.get(hostName(address));
  }
}

/**
 * One machine on the net. Its uplink serves its connections in turn, one segment each; its downlink
 * delivers segments in order. Handlers are called from the event queue only.
 */
export class SimHost implements StreamHost {
  readonly net: SimNet;
  readonly address: string;
  readonly link: SimLink;
  /** Bytes sent over its line, by all connections. */
  sentBytes = 0;
  /** By what their addresses say. */
  readonly #listeners = new Map<string, ListenOptions>();
  readonly #connections = new Set<SimStream>();
  /** Connections with bytes to send and room to send them, in turn. */
  readonly #turns = new Set<SimStream>();
  #sending = false;
  #receivingUntilMs = 0;
  #nextPort = FIRST_OWN_PORT;
  #online = true;

  constructor(net: SimNet, address: string, link: SimLink) {
    this.net = net;
    this.address = address;
    this.link = link;
  }

  get online(): boolean {
    return this.#online;
  }

  /** One transport of this machine. */
  transport(kind: TransportKind): PeerTransport {
    return {
      kind,
      listen: (options) => this.listen(options, kind),
      dial: (address, handler, options) => this.dial(address, handler, options),
    };
  }

  async listen(options: ListenOptions, kind: TransportKind = "tcp"): Promise<StreamListener> {
    const address = this.addressOf(kind, options.port === 0 ? this.#newPort() : options.port);
    const name = formatPeerAddress(address);
    if (this.#listeners.has(name)) {
      throw Object.assign(new Error("the port is taken"), { code: "EADDRINUSE" });
    }
    this.#listeners.set(name, options);
    return {
      local: address.kind === "webrtc" ? undefined : address.endpoint,
      close: () => {
        this.#listeners.delete(name);
      },
    };
  }

  /** Over the transport of its kind. */
  dial(remote: PeerAddress, handler: StreamHandler, { timeoutMs }: DialOptions): StreamConnection {
    const { simulation } = this.net;
    const local = this.addressOf(remote.kind, this.#newPort());
    const near = new SimStream(this, remote, local);
    near.handler = handler;
    const host = this.net.find(remote);
    if (!host?.online || !this.#online) {
      simulation.startTimer(timeoutMs, () => near.end(netFailure("ETIMEDOUT")));
      return near;
    }
    const latencyMs = this.latencyTo(host);
    simulation.startTimer(latencyMs, () => {
      if (near.ended) return;
      const answer = host.#answer(near, remote, local)
        ? () => near.open()
        : () => near.end(netFailure("ECONNREFUSED"));
      simulation.startTimer(latencyMs, answer);
    });
    return near;
  }

  /** Of a program on this machine. A WebRTC peer has no ports: there it is the whole machine. */
  addressOf(kind: TransportKind, port: number): PeerAddress {
    switch (kind) {
      case "tcp":
      case "utp":
        return { kind, endpoint: { address: this.address, port } };
      case "webrtc":
        return { kind, id: this.address, via: INTRODUCER };
    }
  }

  /** Breaks every connection on both sides; the host is unreachable until `goOnline`. */
  goOffline(): void {
    this.#online = false;
    for (const connection of this.#connections) {
      this.net.simulation.startTimer(0, () => connection.break());
    }
  }

  goOnline(): void {
    this.#online = true;
  }

  latencyTo(other: Pick<StreamHost, "link">): number {
    return this.link.latencyMs + other.link.latencyMs;
  }

  // ---- For its connections ---------------------------------------------------------------------------

  join(connection: SimStream): void {
    this.#connections.add(connection);
  }

  leave(connection: SimStream): void {
    this.#connections.delete(connection);
    this.#turns.delete(connection);
  }

  queue(connection: SimStream): void {
    this.#turns.add(connection);
    this.#send();
  }

  receive(bytes: Uint8Array, deliver: () => void): void {
    const { simulation } = this.net;
    const now = simulation.nowMs();
    const beginMs = Math.max(now, this.#receivingUntilMs);
    this.#receivingUntilMs = beginMs + (bytes.length * 1000) / this.link.downBytesPerSecond;
    simulation.startTimer(this.#receivingUntilMs - now, deliver);
  }

  #send(): void {
    if (this.#sending) return;
    const [connection] = this.#turns;
    if (!connection) return;
    this.#turns.delete(connection);
    const segment = connection.takeSegment();
    this.#sending = true;
    this.sentBytes += segment.length;
    const tookMs = (segment.length * 1000) / this.link.upBytesPerSecond;
    this.net.simulation.startTimer(tookMs, () => {
      this.#sending = false;
      connection.handleLeft(segment);
      this.#send();
    });
  }

  /** @returns True when a listener accepted the connection. */
  #answer(near: SimStream, local: PeerAddress, remote: PeerAddress): boolean {
    const listener = this.#listeners.get(formatPeerAddress(local));
    if (!listener || !this.#online) return false;
    const far = new SimStream(this, remote, local);
    far.pairWith(near);
    const handler = listener.accept(far);
    if (!handler) {
      far.pairWith(undefined);
      near.pairWith(undefined);
      far.destroy();
      return false;
    }
    far.accept(handler);
    return true;
  }

  #newPort(): number {
    this.#nextPort += 1;
    return this.#nextPort - 1;
  }
}

function hostName(address: PeerAddress): string {
  switch (address.kind) {
    case "tcp":
    case "utp":
      return address.endpoint.address;
    case "webrtc":
      return address.id;
  }
}
