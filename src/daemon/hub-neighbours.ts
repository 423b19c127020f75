import type { ReachPart } from "../api/reach.ts";
import { REACH } from "../base/address-reach.ts";
import { isThisMachineOnly } from "../base/this-machine.ts";
import { linksFor, wantsNeighbours } from "../commands/one-shot-lsd.ts";
import type { Config } from "../config/config.ts";
import type { ExtensionKind } from "../engine/extension.ts";
import type { PeerSource } from "../engine/session-contract.ts";
import type { NetGuard } from "../guard/net-guard.ts";
import { LsdService } from "../lsd/lsd-service.ts";
import { lsdSource } from "../lsd/lsd-source.ts";
import { swarmExtensions } from "../pex/swarm-extensions.ts";
import type { Clock } from "../ports/clock.ts";
import type { Log } from "../ports/log.ts";
import type { MulticastNet } from "../ports/net.ts";
import type { Random } from "../ports/random.ts";
import { ownNetworks } from "./open-fetch.ts";
import type { BehindProxy } from "./network.ts";

/** How the torrents of a hub that are awake find peers on the same link. */
export interface HubNeighbours {
  sources(info: { readonly private: boolean }): readonly PeerSource[];
  status(): ReachPart;
  close(): void;
}

export interface HubNeighboursParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly multicast: MulticastNet;
  /** Set behind a proxy, where no neighbour is. */
  readonly behindProxy?: Pick<BehindProxy, "name"> | undefined;
  /** Where peers connect to the everseed. */
  readonly port: () => number;
  readonly judgePeers: NetGuard["judgePeers"];
  /** Called with an infohash that a neighbour names and nobody looks for here: a torrent of this hub may sleep. */
  readonly wake: (infohash: Uint8Array) => Promise<unknown>;
}

/** What the torrents of a hub say to their peers, besides blocks. */
export function hubExtensions(
  config: Config,
  judgePeers: NetGuard["judgePeers"],
): readonly ExtensionKind[] {
  const { pex } = config.discovery;
  return pex ? swarmExtensions({ judgePeers, opensRouters: opensRouters(config) }) : [];
}

/** Whether its peers are introduced to others through routers (BEP 55). */
export function opensRouters({ engine, discovery }: Config): boolean {
  return discovery.pex && engine.transport !== "tcp" && engine.proxy === undefined;
}

export function pexReach(config: Config): ReachPart {
  return config.discovery.pex
    ? { state: "works", words: "Connected peers are told of each other.", remedy: null }
    : { state: "off", words: "The setting discovery.pex turns it off.", remedy: null };
}

export function superSeedingReach(config: Config): ReachPart {
  return config.discovery.superSeeding
    ? {
        state: "works",
        words: "While nobody else has everything, each peer is shown little.",
        remedy: null,
      }
    : { state: "off", words: "Peers are shown everything at once.", remedy: null };
}

/**
 * Opens it, where the settings say so. Torrents that are awake are announced in turn. One that sleeps wakes when a neighbour
 * asks for it, and is announced then; private ones never are.
 */
export async function openHubNeighbours(
  config: Config,
  parts: HubNeighboursParts,
): Promise<HubNeighbours> {
  const host = config.engine.host ?? config.host;
  if (parts.behindProxy) {
    const words = `It is off, because peers are reached through ${parts.behindProxy.name} only.`;
    return off({ state: "off", words, remedy: null });
  }
  if (!wantsNeighbours(config.discovery.lsd, host)) return absent(config, host);
  const { log, judgePeers, wake } = parts;
  const networks = ownNetworks();
  const service = await LsdService.start({
    ...parts,
    links: linksFor(host),
    isNear: (address) => {
      const reach = networks.reachOf(address);
      return reach === REACH.machine || reach === REACH.network;
    },
    onUnknown: (infohash) => {
      wake(infohash).catch((error: unknown) =>
        log.warn("a torrent that a neighbour named did not wake", { cause: String(error) }),
      );
    },
  });
  const { lsd } = service;
  return {
    sources: (info) => (info.private ? [] : [lsdSource({ lsd, mayAnnounce: true, judgePeers })]),
    status: () => ({
      state: service.isHeard ? "works" : "fails",
      words: service.isHeard
        ? "Neighbours on the same link find what is published here."
        : "The system refuses multicast, so neighbours do not find this hub by themselves.",
      remedy: service.isHeard
        ? null
        : "Let the firewall pass UDP to port 6771 from your own network.",
    }),
    close: () => service.close(),
  };
}

function absent(config: Config, host: string): HubNeighbours {
  const isChosen = config.discovery.lsd === false || !isThisMachineOnly(host);
  const status: ReachPart = {
    state: "off",
    words: isChosen
      ? "The setting discovery.lsd turns it off."
      : `It is off, because only this machine reaches the port for peers at ${host}.`,
    remedy: isChosen
      ? null
      : "The key engine.host opens that port to others: 0.0.0.0 for everybody.",
  };
  return off(status);
}

function off(status: ReachPart): HubNeighbours {
  return { sources: () => [], status: () => status, close: () => undefined };
}
