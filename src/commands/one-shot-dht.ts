import type { Endpoint } from "../base/endpoint.ts";
import { DhtService, type HostPort } from "../dht/dht-service.ts";
import { dhtSource } from "../dht/dht-source.ts";
import type { PeerSource } from "../engine/session-contract.ts";
import type { SharedPort } from "../udp/shared-port.ts";
import type { SessionPorts } from "./command-ports.ts";

/** Well-known nodes that lead into the DHT of the world. */
export const PUBLIC_BOOTSTRAP: readonly HostPort[] = [
  { host: "dht.libtorrent.org", port: 25401 },
  { host: "dht.transmissionbt.com", port: 6881 },
  { host: "router.bittorrent.com", port: 6881 },
  { host: "router.utorrent.com", port: 6881 },
];

export type DhtPorts = Pick<SessionPorts, "clock" | "random" | "signatures" | "datagrams" | "log">;

/** How a command uses the DHT. */
export interface DhtChoice {
  /** Nodes to begin with; empty takes the well-known ones. */
  readonly bootstrap: readonly HostPort[];
}

/**
 * Starts the DHT of a command that ends.
 *
 * @param how.udp - The port that it shares.
 * @param how.readOnly - Ask and never answer (BEP 43).
 * @throws (rejects with) an error that carries the system's code.
 */
export function openDht(
  ports: DhtPorts,
  choice: DhtChoice,
  how: { readonly udp: SharedPort; readonly readOnly: boolean },
): Promise<DhtService> {
  const bootstrap = choice.bootstrap.length > 0 ? choice.bootstrap : PUBLIC_BOOTSTRAP;
  const settings = { readOnly: how.readOnly };
  return DhtService.start({ ...ports, datagrams: how.udp.part("dht"), bootstrap, settings });
}

/** The DHT of a session, which is opened with the first torrent that may use it. */
export class SessionDht {
  readonly #open: () => Promise<DhtService>;
  readonly #ports: DhtPorts;
  readonly #judgePeers: (peers: readonly Endpoint[], from: string) => readonly Endpoint[];
  #service: Promise<DhtService> | undefined;

  constructor(options: {
    readonly ports: DhtPorts;
    readonly open: () => Promise<DhtService>;
    readonly judgePeers: (peers: readonly Endpoint[], from: string) => readonly Endpoint[];
  }) {
    this.#ports = options.ports;
    this.#open = options.open;
    this.#judgePeers = options.judgePeers;
  }

  /** @param info - Of the torrent; `undefined` for a magnet link. A private torrent has no DHT (DHT-7). */
  async sources(info: { readonly private: boolean } | undefined): Promise<readonly PeerSource[]> {
    if (info?.private) return [];
    this.#service ??= this.#open();
    const { dht } = await this.#service;
    const { clock, random } = this.#ports;
    const isInfoKnown = info !== undefined;
    return [dhtSource({ dht, clock, random, isInfoKnown, judgePeers: this.#judgePeers })];
  }

  async close(): Promise<void> {
    // A service that did not start has told so to whoever asked for sources.
    await this.#service?.then(
      (service) => service.close(),
      () => undefined,
    );
  }
}
