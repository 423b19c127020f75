import { isThisMachineOnly } from "../base/this-machine.ts";
import type { Config } from "../config/config.ts";
import type { EngineSession } from "../engine/session-contract.ts";
import {
  type OuterPlace,
  RouterService,
  type RouterServiceOptions,
  type RouterStatuses,
} from "../nat/router-service.ts";
import { routerOff } from "../nat/router-status.ts";
import { UdpNet } from "../platform/udp-net.ts";
import type { Clock } from "../ports/clock.ts";
import type { Log } from "../ports/log.ts";
import type { Random } from "../ports/random.ts";
import type { SharedPort } from "../udp/shared-port.ts";
import type { BehindProxy } from "./network.ts";
import { routerPorts } from "./router-ports.ts";

export interface HubRouterParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Of the everseed. */
  readonly session: Pick<EngineSession, "port" | "setOuterPort">;
  readonly udp: Pick<SharedPort, "local">;
  /** Set behind a proxy, where nobody reaches that port. */
  readonly behindProxy?: Pick<BehindProxy, "name"> | undefined;
  /** Default: the network of this machine. */
  readonly network?: Partial<RouterServiceOptions> | undefined;
}

/** The router in front of a hub. */
export interface HubRouter {
  status(): RouterStatuses;
  /** @returns `undefined` unless a router passes the port for peers on. */
  outer(): OuterPlace | undefined;
  /** Gives the mappings back. */
  close(): Promise<void>;
}

/** Has the router pass the port for peers on. The port of the web site is none of its business (HUB-2). */
export function openHubRouter(config: Config, parts: HubRouterParts): HubRouter {
  const { clock, random, log, session, udp, network } = parts;
  const host = config.engine.host ?? config.host;
  if (config.router.mapPorts === false) return absent("The setting router.mapPorts turns it off.");
  if (parts.behindProxy) {
    return absent(`It is off, because peers are reached through ${parts.behindProxy.name} only.`);
  }
  if (config.engine.interface !== undefined) {
    return absent(
      `It is off, because peers come in by the interface ${config.engine.interface} only.`,
    );
  }
  if (isThisMachineOnly(host)) {
    return absent(`It is off, because only this machine reaches the port for peers at ${host}.`);
  }
  return new RouterService({
    ...routerPorts(host),
    clock,
    random,
    log,
    datagrams: new UdpNet({ log }),
    ports: () => ({ tcp: session.port, udp: udp.local?.port ?? session.port }),
    onChanged: (_status, outer) => session.setOuterPort(outer?.port),
    ...network,
  });
}

function absent(words: string): HubRouter {
  const status = { ...routerOff(words), ipv6: null };
  return { status: () => status, outer: () => undefined, close: async () => undefined };
}
