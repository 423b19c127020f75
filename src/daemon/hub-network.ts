import type { Config } from "../config/config.ts";
import type { Log } from "../ports/log.ts";
import type { Network } from "./network.ts";
import { openChosenNetwork } from "./open-network.ts";
import type { ReachSettings } from "./reach-settings.ts";

/**
 * Opens the network of a hub. What the page chose keeps no hub from starting, because the page that could take it back
 * would be gone: a list of addresses that cannot be used is left out until it can be, and told. An interface or proxy that
 * is away is waited for, and nothing takes another way meanwhile.
 *
 * @throws {CommandError} (rejects) When the configuration file, a variable or the command line chose what cannot be done.
 */
export function openHubNetwork(settings: ReachSettings, log: Log): Promise<Network> {
  const mayMissFilters = settings.isOfPage("engine.ipFilters");
  return openChosenNetwork({ ...settings.config.engine, mayWait: true, mayMissFilters }, log);
}

/** The settings, with a transport that the proxy carries: the page may have chosen uTP alone before there was a proxy. */
export function withPossibleTransport(
  settings: ReachSettings,
  { behindProxy }: Pick<Network, "behindProxy">,
  log: Log,
): Config {
  const { config } = settings;
  const isPossible = behindProxy?.carriesDatagrams ?? true;
  if (isPossible || config.engine.transport !== "utp" || !settings.isOfPage("engine.transport")) {
    return config;
  }
  const trouble = `${behindProxy!.name} carries no uTP, so peers are reached over TCP through it.`;
  log.error(`the transport that the page Connections chose cannot be used: ${trouble}`);
  settings.setTrouble("engine.transport", trouble);
  return { ...config, engine: { ...config.engine, transport: "both" } };
}
