import dgram from "node:dgram";
import { networkInterfaces } from "node:os";
import type { Endpoint } from "../base/endpoint.ts";
import type { Log } from "../ports/log.ts";
import type { MulticastGroup, MulticastLinks, MulticastNet } from "../ports/net.ts";
import type { LocalAddress } from "./open-socket.ts";
import { openEndpoint, toNetFailure } from "./socket-address.ts";

/** Links that are used; a machine with many containers has a hundred. */
const LINKS_MAX = 16;

interface Link {
  /** One address of the link, to send from. */
  readonly address: string;
  /** Names the link to the system, for memberships: its address, with IPv6 its scope. */
  readonly name: string;
}

/** Multicast of the operating system. Links may come and go: they are looked at each time something is sent. */
export class NodeMulticast implements MulticastNet {
  readonly #log: Log;
  readonly #localAddress: LocalAddress | undefined;

  readonly #hasNeighbours: boolean;

  /**
   * @param options.localAddress - The address that everything leaves from; by default each link has its own.
   * @param options.hasNeighbours - False: no links lead to neighbours, only those of a named address are used.
   */
  constructor(options: {
    readonly log: Log;
    readonly localAddress?: LocalAddress;
    readonly hasNeighbours?: boolean;
  }) {
    this.#log = options.log;
    this.#hasNeighbours = options.hasNeighbours ?? true;
    this.#localAddress = options.localAddress;
  }

  async join(options: {
    readonly group: Endpoint;
    readonly links: MulticastLinks;
    readonly receive: (bytes: Uint8Array, from: Endpoint) => void;
  }): Promise<MulticastGroup> {
    const { group, links, receive } = options;
    const family = group.address.includes(":") ? 6 : 4;
    const listener = openSocket(family);
    // Other programs listen at that port, too.
    await bound(listener, { address: family === 6 ? "::" : "0.0.0.0", port: group.port });
    listener.on("error", (error) => this.#tell(error));
    listener.on("message", (bytes, from) => receive(bytes, openEndpoint(from)));
    const joined = new Group({
      group,
      listener,
      family,
      links: () => this.#linksOf(links, family),
      onFailure: (error) => this.#tell(error),
    });
    joined.look();
    return joined;
  }

  #linksOf(links: MulticastLinks, family: 4 | 6): Link[] {
    if (links === "neighbours" && !this.#hasNeighbours) return [];
    if (!this.#localAddress) return linksOf(links, family);
    const address = this.#localAddress(family);
    return address === undefined ? [] : linksOf({ address }, family);
  }

  /** A link that is down is no fault of ours. */
  #tell(error: unknown): void {
    const code = error instanceof Error ? toNetFailure(error).code : String(error);
    this.#log.debug("multicast on a link failed", { code });
  }
}

class Group implements MulticastGroup {
  readonly #group: Endpoint;
  readonly #family: 4 | 6;
  readonly #listener: dgram.Socket;
  readonly #links: () => readonly Link[];
  /** A socket for each link, by the name of the link: what it sends leaves there. */
  readonly #senders = new Map<string, Promise<dgram.Socket>>();
  readonly #onFailure: (error: unknown) => void;
  #isClosed = false;

  constructor(options: {
    readonly group: Endpoint;
    readonly family: 4 | 6;
    readonly listener: dgram.Socket;
    readonly links: () => readonly Link[];
    readonly onFailure: (error: unknown) => void;
  }) {
    this.#group = options.group;
    this.#family = options.family;
    this.#listener = options.listener;
    this.#links = options.links;
    this.#onFailure = options.onFailure;
  }

  /** Joins the links that are new, and leaves those that are gone. */
  look(): void {
    const links = this.#links();
    const names = new Set(links.map(({ name }) => name));
    for (const name of this.#senders.keys()) if (!names.has(name)) this.#leave(name);
    for (const link of links) {
      if (this.#senders.has(link.name)) continue;
      try {
        this.#listener.addMembership(this.#group.address, link.name);
      } catch (error) {
        this.#onFailure(error);
        continue;
      }
      const sender = this.#openSender(link);
      sender.catch((error: unknown) => this.#onFailure(error));
      this.#senders.set(link.name, sender);
    }
  }

  send(bytes: Uint8Array): void {
    if (this.#isClosed) return;
    this.look();
    const copy = Uint8Array.from(bytes);
    const { address, port } = this.#group;
    for (const sender of this.#senders.values()) {
      sender.then(
        (socket) => {
          if (this.#isClosed) return;
          socket.send(copy, port, address, (error) => {
            if (error) this.#onFailure(error);
          });
        },
        // Told when it was opened.
        () => undefined,
      );
    }
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#listener.close();
    for (const name of this.#senders.keys()) this.#leave(name);
  }

  #leave(name: string): void {
    const sender = this.#senders.get(name);
    this.#senders.delete(name);
    sender?.then(
      (socket) => socket.close(),
      () => undefined,
    );
  }

  async #openSender({ address, name }: Link): Promise<dgram.Socket> {
    const socket = openSocket(this.#family);
    await bound(socket, { address, port: 0 });
    socket.on("error", (error) => this.#onFailure(error));
    socket.setMulticastInterface(name);
    // No router passes it on. Other programs of this machine hear it.
    socket.setMulticastTTL(1);
    socket.setMulticastLoopback(true);
    return socket;
  }
}

function openSocket(family: 4 | 6): dgram.Socket {
  return dgram.createSocket({
    type: family === 6 ? "udp6" : "udp4",
    reuseAddr: true,
    ipv6Only: family === 6,
  });
}

function bound(socket: dgram.Socket, at: { address: string; port: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once("error", (error) => {
      socket.close();
      reject(error);
    });
    socket.bind({ ...at, exclusive: false }, () => {
      socket.removeAllListeners("error");
      resolve();
    });
  });
}

/** One address of each link. A link-local IPv6 address is none that others could dial. */
function linksOf(links: MulticastLinks, family: 4 | 6): Link[] {
  const found = new Map<string, Link>();
  for (const [name, addresses = []] of Object.entries(networkInterfaces())) {
    for (const { address, internal, family: kind } of addresses) {
      if (kind !== `IPv${family}` || /^fe[89ab]/i.test(address) || found.has(name)) continue;
      if (links === "neighbours" ? internal : links.address !== address) continue;
      found.set(name, { address, name: family === 6 ? `::%${name}` : address });
    }
  }
  return [...found.values()].slice(0, LINKS_MAX);
}
