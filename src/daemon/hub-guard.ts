import { NetGuard } from "../guard/net-guard.ts";
import { UdpNet } from "../platform/udp-net.ts";
import type { Log } from "../ports/log.ts";
import { fetchMaker, ownNetworks, rangeLineOpener } from "./open-fetch.ts";

/** Judges where the everseed may connect to (house rule 8): its peers' addresses come from the DHT. */
export function hubGuard(log: Log): NetGuard {
  const datagrams = new UdpNet({ log });
  return new NetGuard({
    networks: ownNetworks(),
    makeFetch: fetchMaker(),
    openRangeLine: rangeLineOpener(),
    datagrams,
  });
}
