import type { ReachPart, ReachParts } from "../api/reach.ts";
import type { BoundInterface } from "../guard/bound-interface.ts";
import type { FilterFiles, FilterStatus } from "../guard/filter-files.ts";
import type { BehindProxy } from "./network.ts";

type ChosenInterface = Pick<BoundInterface, "name" | "addresses">;
type ProxyWords = Pick<BehindProxy, "words" | "carriesDatagrams">;

interface ChosenParts {
  readonly bound: ChosenInterface | undefined;
  readonly filters: Pick<FilterFiles, "status"> | undefined;
  readonly behindProxy: ProxyWords | undefined;
}

/** What the page of connections says of an interface, a proxy and IP filters; nothing of what was not chosen. */
export function networkReach(
  parts: ChosenParts,
): Pick<ReachParts, "interface" | "proxy" | "ipFilters"> {
  const { bound, filters, behindProxy } = parts;
  return {
    ...(bound && { interface: interfaceReach(bound) }),
    ...(behindProxy && { proxy: proxyReach(behindProxy) }),
    ...(filters && { ipFilters: filterReach(filters.status()) }),
  };
}

/** What is not carried out now, and why, by the key of the setting. */
export function networkTroubles(
  parts: Pick<ChosenParts, "bound" | "filters">,
): ReadonlyMap<string, string> {
  const { bound, filters } = parts;
  const troubles = new Map<string, string>();
  if (bound && bound.addresses.length === 0) troubles.set("engine.interface", absenceOf(bound));
  const { missing = [] } = filters?.status() ?? {};
  if (missing.length > 0) troubles.set("engine.ipFilters", sentences(missing));
  return troubles;
}

function interfaceReach(bound: ChosenInterface): ReachPart {
  const { name, addresses } = bound;
  if (addresses.length > 0) {
    const words = `Traffic with peers and trackers leaves and comes in by ${name} only (${addresses.join(" and ")}).`;
    return { state: "works", words, remedy: null };
  }
  const remedy = "Bring it up, or choose another one: traffic begins as soon as it is there.";
  return { state: "fails", words: absenceOf(bound), remedy };
}

function absenceOf({ name }: ChosenInterface): string {
  return `The interface ${name} is not there, so nothing is sent to peers and trackers.`;
}

function proxyReach({ words, carriesDatagrams }: ProxyWords): ReachPart {
  if (carriesDatagrams) return { state: "works", words, remedy: null };
  const remedy = "A SOCKS5 proxy that relays UDP carries the rest.";
  return { state: "warns", words, remedy };
}

function filterReach({ ranges, trouble, missing }: FilterStatus): ReachPart {
  const count = ranges === 1 ? "1 range" : `${ranges.toLocaleString("en-US")} ranges`;
  const words =
    ranges === 0
      ? "No address is kept away."
      : `Nothing is exchanged with ${count} of addresses: no peer, node, tracker or server has one.`;
  if (missing.length > 0) {
    const remedy = "Mend the file, or take it off the list. It is read as soon as it can be used.";
    return { state: "fails", words: `${words} ${sentences(missing)}`, remedy };
  }
  if (trouble === undefined) return { state: "works", words, remedy: null };
  const remedy = `${trouble}. Mend the file: it is read again when it changes.`;
  return { state: "warns", words: `${words} They are those of an earlier version.`, remedy };
}

function sentences(messages: readonly string[]): string {
  return messages.map((message) => `${message}.`).join(" ");
}
