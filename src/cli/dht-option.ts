import { Option } from "commander";
import { isThisMachineOnly } from "../base/this-machine.ts";
import type { OnOff } from "./discovery-options.ts";
import type { ListenAddress, NamedPeer } from "./parse-options.ts";

/** The variable of a hub's key `discovery.dht` holds for `get` and `seed` too. */
const VARIABLE = "EVERSEED_DISCOVERY_DHT";

/** `--dht on|off`: on as in every other program, so that a torrent without a tracker is found. */
export function dhtOption(): Option {
  return new Option(
    "--dht <on|off>",
    "look for peers in the DHT (default: on, unless only this machine reaches the port for peers)",
  ).choices(["on", "off"]);
}

/**
 * @param isAskedFor - What the person wants is found in the DHT alone.
 * @returns `undefined` when the DHT is off. Naming a node turns it on.
 */
export function dhtChoice(
  flags: {
    readonly dht?: OnOff;
    readonly dhtBootstrap?: readonly NamedPeer[];
    readonly listen?: ListenAddress;
  },
  env: Readonly<Record<string, string | undefined>>,
  isAskedFor = false,
): { readonly bootstrap: readonly NamedPeer[] } | undefined {
  const { dht, dhtBootstrap: bootstrap = [], listen } = flags;
  const byDefault = (): boolean => {
    if (isAskedFor || bootstrap.length > 0) return true;
    const variable = env[VARIABLE];
    if (variable !== undefined) return variable === "true";
    return listen === undefined || !isThisMachineOnly(listen.host);
  };
  const isOn = dht === undefined ? byDefault() : dht === "on";
  return isOn ? { bootstrap } : undefined;
}
