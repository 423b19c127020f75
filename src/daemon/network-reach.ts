import type { ReachPart, ReachParts } from "../api/reach.ts";
import type { FilterFiles } from "../guard/filter-files.ts";
import type { BehindProxy } from "./network.ts";

/** What the page of connections says of a proxy and of IP filters; nothing of what was not chosen. */
export function networkReach(parts: {
  readonly filters: Pick<FilterFiles, "status"> | undefined;
  readonly behindProxy: Omit<BehindProxy, "isStandIn"> | undefined;
}): Pick<ReachParts, "proxy" | "ipFilters"> {
  const { filters, behindProxy } = parts;
  return {
    ...(behindProxy && { proxy: proxyReach(behindProxy) }),
    ...(filters && { ipFilters: filterReach(filters.status()) }),
  };
}

function proxyReach({ words, carriesDatagrams }: Omit<BehindProxy, "isStandIn">): ReachPart {
  if (carriesDatagrams) return { state: "works", words, remedy: null };
  const remedy = "A SOCKS5 proxy that relays UDP carries the rest.";
  return { state: "warns", words, remedy };
}

function filterReach({ ranges, trouble }: ReturnType<FilterFiles["status"]>): ReachPart {
  const count = ranges === 1 ? "1 range" : `${ranges.toLocaleString("en-US")} ranges`;
  const words = `Nothing is exchanged with ${count} of addresses: no peer, node, tracker or server has one.`;
  if (trouble === undefined) return { state: "works", words, remedy: null };
  const remedy = `${trouble}. Mend the file: it is read again when it changes.`;
  return { state: "warns", words: `${words} They are those of an earlier version.`, remedy };
}
