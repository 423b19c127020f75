import type { ReachParts } from "../api/reach.ts";
import type { Endpoint } from "../base/endpoint.ts";
import type { MakeFetch } from "../guard/guarded-fetch.ts";
import type { RefusalOf } from "../guard/filtered-net.ts";
import type { OwnNetworks } from "../guard/own-networks.ts";
import type { OpenRangeLine } from "../guard/web-seed-guard.ts";
import type { DatagramNet, MulticastNet, PeerTransport } from "../ports/net.ts";

/** How a person wants this program to use the network. */
export interface NetworkChoice {
  /** The name or an address of the interface that all traffic with peers and trackers is bound to. */
  readonly interface?: string | undefined;
  /** The URL of a proxy that everything goes through, `socks5://...` or `http://...`. It may hold a password. */
  readonly proxy?: string | undefined;
  /** Paths of lists of addresses that nothing is exchanged with. */
  readonly ipFilters: readonly string[];
}

/** Ways to the network. There is no other one that a chosen proxy or interface does not know of (WIR-27). */
export interface NetworkWays {
  /** TCP to peers. @param allowRemote - Called before each connection that we open (house rule 8). */
  openTcp(allowRemote: (peer: Endpoint) => boolean): PeerTransport<"tcp">;
  readonly datagrams: DatagramNet;
  readonly multicast: MulticastNet;
  readonly makeFetch: MakeFetch;
  readonly openRangeLine: OpenRangeLine;
  readonly networks: OwnNetworks;
  /** The addresses that IP filters keep away; the ways above know of them. */
  readonly refusalOf?: RefusalOf | undefined;
  /** `undefined` without a proxy. */
  readonly behindProxy?: BehindProxy | undefined;
}

/** What is different behind a proxy: nobody can open connections to us, and neighbours and routers are left alone. */
export interface BehindProxy {
  /** Without its secrets. */
  readonly name: string;
  readonly carriesDatagrams: boolean;
  /** Whether an address stands for a name that the proxy resolves. */
  readonly isStandIn: (address: string) => boolean;
  /** What goes through it, and what is off, for people. */
  readonly words: string;
}

/** The way to the network that follows from a choice. */
export interface Network extends NetworkWays, Disposable {
  /** Keeps the peers away that were chosen so, whoever opens the connection. */
  guard(transports: readonly PeerTransport[]): readonly PeerTransport[];
  /** For the page of connections. */
  reach(): Pick<ReachParts, "interface" | "proxy" | "ipFilters">;
  /** What of the choice is not carried out now, and why, by the key of the setting. */
  troubles(): ReadonlyMap<string, string>;
}
