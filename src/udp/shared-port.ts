import { type Endpoint, formatEndpoint } from "../base/endpoint.ts";
import { systemCode } from "../base/system-code.ts";
import type { Log } from "../ports/log.ts";
import type { DatagramNet, DatagramSocket } from "../ports/net.ts";
import { type PacketKind, packetKind } from "./packet-kind.ts";
import { ReachingSocket } from "./reaching-socket.ts";

type Receive = (bytes: Uint8Array, from: Endpoint) => void;

/** Where to bind; port 0 is any free one. */
export interface PortPlace {
  readonly host: string;
  readonly port: number;
}

const ANYWHERE: PortPlace = { host: "::", port: 0 };

/**
 * One UDP port for uTP, the DHT and the announces to UDP trackers. Peers learn one number and expect all of them behind
 * it, a router needs one rule, and the DHT sees the same address as the trackers.
 *
 * Each protocol gets its part, which looks like a network of its own. The port is opened for the first part that binds.
 *
 * closed -> opening -> open -> ended; opening -> closed when that fails.
 */
export class SharedPort {
  readonly #net: DatagramNet;
  readonly #log: Log;
  readonly #receivers = new Map<PacketKind, Receive>();
  #place = ANYWHERE;
  #mayMove = true;
  #opening: Promise<DatagramSocket> | undefined;
  #socket: DatagramSocket | undefined;
  #isClosed = false;

  constructor({ net, log }: { readonly net: DatagramNet; readonly log: Log }) {
    this.#net = net;
    this.#log = log;
  }

  /** As bound; `undefined` before that. */
  get local(): Endpoint | undefined {
    return this.#socket?.local;
  }

  /**
   * Chooses the place. It counts until the port is open.
   *
   * @param mayMove - When the port is taken, take another one and say so in the log. Without this, binding fails.
   */
  setPlace(place: PortPlace, { mayMove }: { readonly mayMove: boolean }): void {
    this.#place = place;
    this.#mayMove = mayMove;
  }

  /**
   * The part of one protocol: a network whose sockets are this port. `close` of such a socket leaves the port open for
   * the others. What a socket would be bound to counts for uTP only, whose number peers have to know: for the others the
   * place is that of the port.
   */
  part(kind: PacketKind): DatagramNet {
    return {
      bind: async ({ host, port, receive }) => {
        if (kind === "utp") this.#place = { host, port };
        const socket = await this.#open();
        if (this.#isClosed) throw new Error("the UDP port is closed");
        this.#receivers.set(kind, receive);
        const close = (): void => {
          if (this.#receivers.get(kind) === receive) this.#receivers.delete(kind);
        };
        const part = new PartSocket(socket, close);
        // Trackers may be where a port that listens at one address does not reach.
        return kind === "tracker" ? new ReachingSocket(part, this.#net, receive) : part;
      },
      resolve: (host) => this.#net.resolve(host),
    };
  }

  /** Closes the port for all; safe to repeat. */
  close(): void {
    this.#isClosed = true;
    this.#receivers.clear();
    this.#socket?.close();
    this.#socket = undefined;
  }

  #open(): Promise<DatagramSocket> {
    this.#opening ??= this.#bind().catch((error: unknown) => {
      this.#opening = undefined;
      throw error;
    });
    return this.#opening;
  }

  async #bind(): Promise<DatagramSocket> {
    const socket = await this.#bindFirst(placesFor(this.#place, this.#mayMove));
    if (this.#isClosed) socket.close();
    this.#socket = socket;
    const { port } = this.#place;
    if (port !== 0 && socket.local.port !== port) {
      this.#log.warn(
        `UDP port ${port} is taken by another program: uTP, the DHT and UDP trackers use port ${socket.local.port}, where ` +
          "no peer looks for them",
      );
    }
    return socket;
  }

  async #bindFirst([place, ...others]: readonly PortPlace[]): Promise<DatagramSocket> {
    const receive: Receive = (bytes, from) => this.#receive(bytes, from);
    try {
      return await this.#net.bind({ ...place!, hasQueues: true, receive });
    } catch (error) {
      if (others.length === 0 || systemCode(error) === undefined) throw error;
      this.#log.debug("no UDP port there", { place: formatPlace(place!), code: systemCode(error) });
      return this.#bindFirst(others);
    }
  }

  #receive(bytes: Uint8Array, from: Endpoint): void {
    const kind = packetKind(bytes);
    if (kind !== undefined) this.#receivers.get(kind)?.(bytes, from);
  }
}

/** The port as one protocol sees it. */
class PartSocket implements DatagramSocket {
  readonly local: Endpoint;
  readonly #socket: DatagramSocket;
  readonly #onClose: () => void;
  #isClosed = false;

  constructor(socket: DatagramSocket, onClose: () => void) {
    this.local = socket.local;
    this.#socket = socket;
    this.#onClose = onClose;
  }

  send(bytes: Uint8Array, to: Endpoint): void {
    if (!this.#isClosed) this.#socket.send(bytes, to);
  }

  afterBurst(fire: () => void): void {
    this.#socket.afterBurst(fire);
  }

  bytesMaxTo(address: string): number | undefined {
    return this.#socket.bytesMaxTo?.(address);
  }

  openQueue(remote: Endpoint): () => void {
    return this.#socket.openQueue?.(remote) ?? (() => undefined);
  }

  close(): void {
    this.#isClosed = true;
    this.#onClose();
  }
}

/** The places to try, the best first. A machine without IPv6 has no "::". */
function placesFor({ host, port }: PortPlace, mayMove: boolean): readonly PortPlace[] {
  const hosts = mayMove && host === "::" ? [host, "0.0.0.0"] : [host];
  const ports = mayMove && port !== 0 ? [port, 0] : [port];
  return hosts.flatMap((each) => ports.map((at) => ({ host: each, port: at })));
}

function formatPlace({ host, port }: PortPlace): string {
  return formatEndpoint({ address: host, port });
}
