import { NetGuard } from "../guard/net-guard.ts";
import { ownNetworks } from "./open-fetch.ts";
import type { Network } from "./open-network.ts";

/** Judges where the everseed may connect to (house rule 8): its peers' addresses come from the DHT. */
export function hubGuard({ makeFetch, openRangeLine, datagrams }: Network): NetGuard {
  return new NetGuard({ networks: ownNetworks(), makeFetch, openRangeLine, datagrams });
}
