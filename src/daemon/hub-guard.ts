import { NetGuard } from "../guard/net-guard.ts";
import type { NetworkWays } from "./network.ts";

/** Judges where the everseed may connect to (house rule 8): its peers' addresses come from the DHT. */
export function hubGuard(ways: NetworkWays): NetGuard {
  return new NetGuard(ways);
}
