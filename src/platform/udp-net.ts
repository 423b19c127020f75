import dgram from "node:dgram";
import dns from "node:dns/promises";
import net from "node:net";
import { addressBytes, type Endpoint, formatAddress } from "../base/endpoint.ts";
import { type Log, SILENT_LOG } from "../ports/log.ts";
import type { DatagramNet, DatagramSocket } from "../ports/net.ts";
import { LinkSizes } from "./link-sizes.ts";
import { AddressQueues } from "./address-queues.ts";
import { openEndpoint, toNetFailure } from "./socket-address.ts";

/** Many small packets arrive at once; the kernel's default holds only a few hundred. It may give less than this. */
const RECEIVE_QUEUE_BYTES = 4 * 1024 * 1024;

/** Addresses whose canonical form is remembered: finding it costs more than the rest of receiving a packet. */
const ADDRESSES_MAX = 1024;
/** Links are the machine's. */
const LINK_SIZES = new LinkSizes();

/** Linux prefers a connected socket of a port; others share packets out, or know no such sockets. */
const QUEUES_KNOWN = process.platform === "linux";

/** Errors that packets to or from others cause. */
const OTHER_SIDE: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "EHOSTUNREACH",
  "EMSGSIZE",
  "ENETUNREACH",
]);

export interface UdpNetOptions {
  readonly log?: Log | undefined;
  /**
   * House rule 8: `resolve` omits addresses for which this returns false. Default: it returns all.
   */
  readonly allowAddress?: ((address: string) => boolean) | undefined;
}

/** UDP of the operating system, and its name service. */
export class UdpNet implements DatagramNet {
  readonly #log: Log;
  readonly #allowAddress: (address: string) => boolean;

  constructor(options: UdpNetOptions = {}) {
    this.#log = options.log ?? SILENT_LOG;
    this.#allowAddress = options.allowAddress ?? (() => true);
  }

  /** @throws (rejects with) an error that carries `code`, for instance `EADDRINUSE`. */
  async bind(options: {
    readonly host: string;
    readonly port: number;
    readonly isShared?: boolean;
    readonly hasQueues?: boolean;
    readonly receive: (bytes: Uint8Array, from: Endpoint) => void;
  }): Promise<DatagramSocket> {
    const family = net.isIPv6(options.host) ? 6 : 4;
    const canonical = remembering((address) => openEndpoint({ address, port: 0 }).address);
    const hasQueues = QUEUES_KNOWN && options.hasQueues === true;
    const createSocket = (reusePort: boolean): dgram.Socket => {
      const socket = dgram.createSocket({
        type: family === 6 ? "udp6" : "udp4",
        reuseAddr: options.isShared ?? false,
        reusePort,
        // Endpoints hold literal addresses; without this Node would call its resolver for each
        // packet.
        lookup: (address, _options, callback) => callback(null, address, family),
      });
      socket.on("message", (bytes, { address, port }) => {
        options.receive(bytes, { address: canonical(address), port });
      });
      return socket;
    };
    // Sockets that share a port would share one with another program of the same user, too: first it is taken alone.
    const port = hasQueues ? await portToHave(createSocket(false), options) : options.port;
    const socket = createSocket(hasQueues);
    await bound(socket, { host: options.host, port });
    growReceiveQueue(socket, this.#log);
    socket.on("error", (error) => {
      const { code } = toNetFailure(error);
      // An error about a remote address is no fault of this machine.
      const level = OTHER_SIDE.has(code) ? "debug" : "warn";
      this.#log[level]("a UDP socket reported an error", { code });
    });
    const literal = remembering((address) => literalFor(address, family));
    const queues = hasQueues
      ? new AddressQueues({
          createSocket: () => createSocket(true),
          onBound: (each) => growReceiveQueue(each, this.#log),
          at: { address: options.host, port: socket.address().port },
          literal,
          log: this.#log,
        })
      : undefined;
    return new UdpSocket(socket, openEndpoint(socket.address()), { literal, queues });
  }

  async resolve(host: string): Promise<readonly string[]> {
    const name = host.replace(/^\[(.*)\]$/, "$1");
    const literal = addressBytes(name);
    const found = literal ? [formatAddress(literal)] : await lookUp(name);
    return found.filter((address) => this.#allowAddress(address));
  }
}

interface UdpSocketParts {
  readonly literal: (address: string) => string | undefined;
  readonly queues: AddressQueues | undefined;
}

class UdpSocket implements DatagramSocket {
  readonly local: Endpoint;
  readonly #socket: dgram.Socket;
  readonly #literal: (address: string) => string | undefined;
  readonly #queues: AddressQueues | undefined;
  #closed = false;

  constructor(socket: dgram.Socket, local: Endpoint, { literal, queues }: UdpSocketParts) {
    this.#socket = socket;
    this.local = local;
    this.#literal = literal;
    this.#queues = queues;
  }

  send(bytes: Uint8Array, to: Endpoint): void {
    if (this.#closed || to.port === 0) return;
    const address = this.#literal(to.address);
    if (address === undefined) return;
    // Copied, so that the caller may reuse its buffer; small ones into memory that Node shares out.
    const copy = Buffer.allocUnsafe(bytes.length);
    copy.set(bytes);
    // A packet that cannot be sent counts as lost, and the caller that awaits its answer sends it again: without a
    // callback Node drops the error, and saves the call of one.
    this.#socket.send(copy, to.port, address);
  }

  afterBurst(fire: () => void): void {
    // Node hands out all packets that it reads at once before it comes to this.
    setImmediate(fire);
  }

  bytesMaxTo(address: string): number | undefined {
    return LINK_SIZES.bytesTo(address);
  }

  openQueue(remote: Endpoint): () => void {
    if (this.#closed || remote.port === 0) return () => undefined;
    return this.#queues?.open(remote) ?? (() => undefined);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#queues?.close();
    this.#socket.close();
  }
}

/** @returns What a socket of this family sends to; `undefined` when it cannot send to such an address. */
function literalFor(address: string, family: 4 | 6): string | undefined {
  if (net.isIPv4(address)) return family === 4 ? address : `::ffff:${address}`;
  return family === 6 ? address : undefined;
}

/** Takes the port alone, and gives it back. @returns Its number. */
async function portToHave(
  socket: dgram.Socket,
  at: { readonly host: string; readonly port: number },
): Promise<number> {
  await bound(socket, at);
  const { port } = socket.address();
  await new Promise<void>((resolve) => socket.close(resolve));
  return port;
}

/** Remembers what a function of an address returns, and forgets everything when that is too much. */
function remembering<T>(compute: (address: string) => T): (address: string) => T {
  const known = new Map<string, T>();
  return (address) => {
    const before = known.get(address);
    if (before !== undefined) return before;
    const result = compute(address);
    if (known.size >= ADDRESSES_MAX) known.clear();
    known.set(address, result);
    return result;
  };
}

function bound(socket: dgram.Socket, at: { host: string; port: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once("error", (error) => {
      socket.close();
      const { code, message } = toNetFailure(error);
      const text = `cannot bind UDP ${at.host} port ${at.port}: ${message}`;
      reject(Object.assign(new Error(text), { code }));
    });
    socket.bind({ address: at.host, port: at.port }, () => {
      socket.removeAllListeners("error");
      resolve();
    });
  });
}

function growReceiveQueue(socket: dgram.Socket, log: Log): void {
  try {
    socket.setRecvBufferSize(RECEIVE_QUEUE_BYTES);
  } catch (error) {
    // Only bursts suffer; the kernel's default size still works.
    log.debug("the UDP receive queue keeps its size", { cause: String(error) });
  }
}

async function lookUp(name: string): Promise<string[]> {
  try {
    const addresses = await dns.lookup(name, { all: true });
    return addresses.map(({ address }) => openEndpoint({ address, port: 0 }).address);
  } catch (error) {
    // The caller treats a name without an address and an unreachable name service alike: no
    // address.
    if (error instanceof Error && "code" in error) return [];
    throw error;
  }
}
