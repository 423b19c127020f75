import { isThisMachineOnly } from "../base/this-machine.ts";
import type { EngineSession } from "../engine/session-contract.ts";
import { RouterService } from "../nat/router-service.ts";
import type { RouterStatus } from "../nat/router-status.ts";
import type { PortPlace, SharedPort } from "../udp/shared-port.ts";
import type { SessionPorts } from "./command-ports.ts";

/** How a command uses the router. */
export interface RouterChoice {
  /** Is told what came of it, and what changed. */
  readonly onChanged: (status: RouterStatus) => void;
}

/** Has the router pass the port of a session on, as long as the command runs. */
export function openRouter(
  ports: SessionPorts,
  choice: RouterChoice | undefined,
  on: {
    readonly place: PortPlace;
    readonly session: Pick<EngineSession, "setOuterPort">;
    readonly udp: Pick<SharedPort, "local">;
  },
): RouterService | undefined {
  const { place, session, udp } = on;
  // Behind a proxy nobody reaches us, and asking a router would show where we are (WIR-27).
  if (!choice || !ports.routerPorts || ports.behindProxy) return undefined;
  if (isThisMachineOnly(place.host)) return undefined;
  const { clock, random, datagrams, log } = ports;
  return new RouterService({
    ...ports.routerPorts(place.host),
    clock,
    random,
    datagrams,
    // The events tell more.
    log: { ...log, info: () => undefined },
    ports: () => ({ tcp: place.port, udp: udp.local?.port ?? place.port }),
    onChanged: (status, outer) => {
      session.setOuterPort(outer?.port);
      choice.onChanged(status);
    },
  });
}
