import { REACH } from "../base/address-reach.ts";
import { isThisMachineOnly } from "../base/this-machine.ts";
import type { PeerSource } from "../engine/session-contract.ts";
import type { NetGuard } from "../guard/net-guard.ts";
import { LsdService } from "../lsd/lsd-service.ts";
import { lsdSource } from "../lsd/lsd-source.ts";
import type { MulticastLinks } from "../ports/net.ts";
import type { SessionPorts } from "./command-ports.ts";

export type LsdPorts = Pick<SessionPorts, "clock" | "random" | "multicast" | "networks" | "log">;

/** A torrent, as far as its neighbours are concerned. */
export type TorrentForNeighbours =
  | { readonly metainfo: { readonly info: { readonly private: boolean } } }
  | { readonly magnet: { readonly trackers: readonly string[] } };

/** Where a session listens; everywhere when it is left out. */
export type ListenHost = string | undefined;

/**
 * Whether neighbours are looked for.
 *
 * @param chosen - `undefined` decides by the host: where only this machine can connect, neighbours are of no use.
 */
export function wantsNeighbours(chosen: boolean | undefined, host: ListenHost): boolean {
  return chosen ?? (host === undefined || !isThisMachineOnly(host));
}

/** The links that lead to whoever can connect to that host. */
export function linksFor(host: ListenHost): MulticastLinks {
  if (host === undefined || host === "::" || host === "0.0.0.0") return "neighbours";
  return { address: host === "localhost" ? "127.0.0.1" : host };
}

export interface SessionLsdOptions {
  readonly host: ListenHost;
  readonly port: () => number;
  readonly guard: Pick<NetGuard, "judgePeers">;
  /** A neighbour names a torrent that is not looked for here. */
  readonly onUnknown?: ((infohash: Uint8Array) => void) | undefined;
}

/** The neighbours of a session, heard from the first torrent on that may look for them. */
export class SessionLsd {
  readonly #ports: LsdPorts;
  readonly #options: SessionLsdOptions;
  #service: Promise<LsdService> | undefined;

  constructor(ports: LsdPorts, options: SessionLsdOptions) {
    this.#ports = ports;
    this.#options = options;
  }

  /** A private torrent has no neighbours. */
  async sources(torrent: TorrentForNeighbours): Promise<readonly PeerSource[]> {
    if ("metainfo" in torrent && torrent.metainfo.info.private) return [];
    const { lsd } = await this.open();
    // Without a tracker it cannot be that of a private torrent.
    const mayAnnounce = "metainfo" in torrent || torrent.magnet.trackers.length === 0;
    const judgePeers: NetGuard["judgePeers"] = (peers, from) =>
      this.#options.guard.judgePeers(peers, from);
    return [lsdSource({ lsd, mayAnnounce, judgePeers })];
  }

  /** Never rejects. */
  open(): Promise<LsdService> {
    const { networks } = this.#ports;
    const { host, port, onUnknown } = this.#options;
    this.#service ??= LsdService.start({
      ...this.#ports,
      port,
      links: linksFor(host),
      isNear: (address) => {
        const reach = networks.reachOf(address);
        return reach === REACH.machine || reach === REACH.network;
      },
      onUnknown,
    });
    return this.#service;
  }

  async close(): Promise<void> {
    (await this.#service)?.close();
  }
}
