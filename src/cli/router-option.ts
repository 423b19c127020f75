import { Option } from "commander";
import type { GetEvent } from "../commands/get-options.ts";
import type { OnOff } from "./discovery-options.ts";
import type { NetworkFlags } from "./network-options.ts";
import type { Output } from "./output.ts";
import { escapeOutside } from "./outside-text.ts";

type RouterStatus = Extract<GetEvent, { kind: "router" }>["status"];

interface RouterFlags extends NetworkFlags {
  readonly mapPorts?: OnOff;
}

/** The variable of a hub's key `router.mapPorts` holds for `get` and `seed` too. */
const VARIABLE = "EVERSEED_ROUTER_MAP_PORTS";

/** Whether the router is asked to pass the port on. */
export function mapPortsOption(byDefault: string): Option {
  return new Option(
    "--map-ports <on|off>",
    `have the router pass the port on (default: ${byDefault})`,
  ).choices(["on", "off"]);
}

/**
 * @param byDefault - When nobody says anything.
 * @returns False for traffic that is bound to one interface: a router elsewhere is no way in.
 */
export function mapsPorts(
  { mapPorts, interface: bound }: RouterFlags,
  env: Readonly<Record<string, string | undefined>>,
  byDefault: boolean,
): boolean {
  if (bound !== undefined) return false;
  if (mapPorts !== undefined) return mapPorts === "on";
  const variable = env[VARIABLE];
  return variable === undefined ? byDefault : variable === "true";
}

/** Tells what came of it: to everybody when there is something to do, otherwise in detail. */
export function tellRouter(output: Output, status: RouterStatus): void {
  const { state, words, remedy, router, outerAddress, protocol, mappings } = status;
  if (state === "waits") return;
  output.record({
    event: "router",
    state,
    words,
    remedy,
    router,
    outerAddress,
    protocol,
    mappings,
  });
  const text = remedy === null ? words : `${words} ${remedy}`;
  if (state === "warns") output.say(escapeOutside(text));
  else output.detail(escapeOutside(text));
}
