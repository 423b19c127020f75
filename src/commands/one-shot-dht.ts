import { formatEndpoint } from "../base/endpoint.ts";
import { DhtError } from "../dht/dht-error.ts";
import {
  decodeState,
  encodeState,
  endpointsOf,
  mergeStates,
  type SavedState,
} from "../dht/saved-state.ts";
import { DhtService, type HostPort } from "../dht/dht-service.ts";
import type { Dht } from "../dht/dht.ts";
import { dhtSource } from "../dht/dht-source.ts";
import type { PeerDht, PeerSource } from "../engine/session-contract.ts";
import type { NetGuard } from "../guard/net-guard.ts";
import type { SharedPort } from "../udp/shared-port.ts";
import type { Log } from "../ports/log.ts";
import type { DhtMemory, SessionPorts } from "./command-ports.ts";

/** Well-known nodes that lead into the DHT of the world. */
export const PUBLIC_BOOTSTRAP: readonly HostPort[] = [
  { host: "dht.libtorrent.org", port: 25401 },
  { host: "dht.transmissionbt.com", port: 6881 },
  { host: "router.bittorrent.com", port: 6881 },
  { host: "router.utorrent.com", port: 6881 },
];

export type DhtPorts = Pick<
  SessionPorts,
  | "clock"
  | "random"
  | "signatures"
  | "datagrams"
  | "behindProxy"
  | "dhtMemory"
  | "log"
  | "refusalOf"
>;

/** How a command uses the DHT. */
export interface DhtChoice {
  /** Nodes to begin with; empty takes the well-known ones. */
  readonly bootstrap: readonly HostPort[];
  /** A node that is open already, and that its owner closes. */
  readonly service?: DhtService | undefined;
}

/** The DHT of a command, until it is closed. */
export interface OneShotDht {
  readonly service: DhtService;
  /** Closes it, and remembers the nodes that answered. */
  close(): Promise<void>;
}

/**
 * Starts the DHT of a command that ends. It begins with the nodes that earlier commands knew, and with the well-known ones;
 * nodes that the user names are a network of their own, of which nothing is remembered.
 *
 * @param how.udp - The port that it shares.
 * @param how.readOnly - Ask and never answer (BEP 43).
 * @throws (rejects with) an error that carries the system's code.
 */
export async function openDht(
  ports: DhtPorts,
  choice: DhtChoice,
  how: { readonly udp: SharedPort; readonly readOnly: boolean },
): Promise<OneShotDht> {
  const isNamed = choice.bootstrap.length > 0;
  const memory = isNamed ? undefined : ports.dhtMemory;
  const before = await recall(memory, ports.log);
  const service = await DhtService.start({
    ...ports,
    datagrams: how.udp.part("dht"),
    bootstrap: isNamed ? choice.bootstrap : PUBLIC_BOOTSTRAP,
    known: [...before.values()].flatMap(endpointsOf),
    settings: { readOnly: how.readOnly },
    isKeptAway: (address) => ports.refusalOf?.(address) !== undefined,
  });
  return {
    service,
    close: async () => {
      const { isJoined } = service.dht;
      const state = service.dht.save();
      service.close();
      // Without a network nothing was learned.
      if (isJoined) await memory?.save(encodeState(mergeStates(decodeState(state), before)));
    },
  };
}

/** Reads what earlier commands remembered. */
async function recall(memory: DhtMemory | undefined, log: Log): Promise<SavedState> {
  const bytes = await memory?.load();
  try {
    return bytes ? decodeState(bytes) : new Map();
  } catch (error) {
    if (!(error instanceof DhtError)) throw error;
    const words =
      "The DHT nodes of earlier runs cannot be read. The well-known ones are asked alone.";
    log.warn(words, { cause: error.message });
    return new Map();
  }
}

/** DHT nodes of one torrent that are asked. */
const NODES_MAX = 20;

/** What the DHT of a session must know of a torrent. */
export interface TorrentInDht {
  /** `undefined` for a magnet link. */
  readonly info: { readonly private: boolean } | undefined;
  /** The nodes that it names (BEP 5), `host:port`. */
  readonly nodes: readonly string[];
  /** A node that it names is in our own network, and is not asked. */
  readonly onRefused: (node: string) => void;
  /** False: somebody else announces it. Default: true. */
  readonly announces?: boolean | undefined;
}

/** The DHT of a session, which is opened with the first torrent that may use it. */
export class SessionDht {
  readonly #open: () => Promise<OneShotDht>;
  readonly #ports: Pick<DhtPorts, "clock" | "random" | "refusalOf">;
  readonly #guard: Pick<NetGuard, "judgePeers" | "allowPeer" | "datagrams">;
  readonly #hasUtp: boolean;
  #dht: Promise<OneShotDht> | undefined;
  #opened: DhtService | undefined;

  constructor(options: {
    readonly ports: Pick<DhtPorts, "clock" | "random" | "refusalOf">;
    readonly open: () => Promise<OneShotDht>;
    /** Used instead of opening one. */
    readonly shared?: DhtService | undefined;
    readonly guard: Pick<NetGuard, "judgePeers" | "allowPeer" | "datagrams">;
    /** Peers reach us at the port of the node, over uTP. */
    readonly hasUtp: boolean;
  }) {
    this.#ports = options.ports;
    this.#open = options.open;
    this.#guard = options.guard;
    this.#hasUtp = options.hasUtp;
    const { shared } = options;
    // Its owner closes it.
    if (shared) this.#dht = Promise.resolve({ service: shared, close: async () => undefined });
  }

  /** What peers are told of it, as soon as it is open. */
  readonly ofPeers: PeerDht = {
    // Behind a proxy nobody reaches it.
    port: () => this.#opened?.local.port || undefined,
    handleNode: (node) => this.#opened?.dht.addHearsay(node),
  };

  /** The node, which is opened when it is not. */
  async node(): Promise<Dht> {
    this.#dht ??= this.#open();
    this.#opened = (await this.#dht).service;
    return this.#opened.dht;
  }

  /** Whether a node has answered; `undefined` while the DHT is not open. */
  get isReached(): boolean | undefined {
    return this.#opened?.dht.isReached;
  }

  /** A private torrent has no DHT (DHT-7). */
  async sources({
    info,
    nodes,
    onRefused,
    announces,
  }: TorrentInDht): Promise<readonly PeerSource[]> {
    if (info?.private) return [];
    const dht = await this.node();
    void this.#addNodes(nodes.slice(0, NODES_MAX), onRefused);
    const { clock, random } = this.#ports;
    const judgePeers: NetGuard["judgePeers"] = (peers, from) => this.#guard.judgePeers(peers, from);
    const utpPort = this.#hasUtp ? this.#opened?.local.port : undefined;
    const isInfoKnown = info !== undefined;
    return [dhtSource({ dht, clock, random, isInfoKnown, utpPort, judgePeers, announces })];
  }

  /** The nodes of a torrent lead nowhere near, as its peers do not (house rule 8). */
  async #addNodes(nodes: readonly string[], onRefused: TorrentInDht["onRefused"]): Promise<void> {
    for (const node of nodes) {
      const at = node.lastIndexOf(":");
      const host = node.slice(0, at).replace(/^\[|\]$/g, "");
      const port = Number(node.slice(at + 1));
      for (const address of await this.#guard.datagrams.resolve(host)) {
        const endpoint = { address, port };
        if (this.#ports.refusalOf?.(address) !== undefined) continue;
        if (this.#guard.allowPeer(endpoint)) this.#opened?.dht.addHearsay(endpoint);
        else onRefused(formatEndpoint(endpoint));
      }
    }
  }

  /** Closes the node, unless it is somebody else's. */
  async close(): Promise<void> {
    // One that did not start has told so to whoever asked for sources.
    await this.#dht?.then(
      (dht) => dht.close(),
      () => undefined,
    );
  }
}

/** In words, for the person who runs a command. */
export function nearNode(node: string): string {
  return (
    `the torrent names the DHT node ${node}, in your own network. Torrents come from anywhere, so it is not ` +
    `asked; if you trust it: --dht-bootstrap ${node}`
  );
}
