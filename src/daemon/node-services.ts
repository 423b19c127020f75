import type { NodeStatus } from "../api/node.ts";
import type { WatchedFolder } from "../transfers/watch-place.ts";
import type { HubTracker } from "./hub-tracker.ts";
import type { Ground } from "./node-ground.ts";
import type { HubSite } from "./hub-site.ts";
import type { NodeDiscovery } from "./node-discovery.ts";
import type { NodeEngine } from "./node-engine.ts";

type Service = NodeStatus["services"][number];

/** The parts of a running node; a part that is off is absent. */
export interface NodeParts {
  readonly engine: NodeEngine;
  readonly discovery: NodeDiscovery;
  readonly tracker: HubTracker | undefined;
  readonly site: () => HubSite | undefined;
  readonly watched: () => readonly WatchedFolder[];
}

/** The services of a node in the order of their start, each with its state in words. */
export function servicesOf({ config }: Ground, parts: NodeParts): Service[] {
  const { engine, discovery, tracker, site } = parts;
  const { session } = engine;
  const torrents = [...session.torrents()].length;
  const router = discovery.router.status();
  return [
    session.port === 0
      ? warns("peers", "Peers cannot connect; this node connects to them.")
      : works("peers", `Port ${session.port}; ${torrents} torrents are awake.`),
    { name: "dht", ...plain(discovery.dht.status()) },
    { name: "router", ...plain(router) },
    { name: "neighbours", ...plain(discovery.lsd.status()) },
    config.services.transfers
      ? works("transfers", "everseed ls shows the torrents that it keeps for its owner.")
      : off("transfers", "services.transfers"),
    config.services.transmissionRpc
      ? works("transmission", "Apps and scripts for Transmission control the transfers.")
      : { ...off("transmission", ""), words: "The key services.transmissionRpc turns it on." },
    ...watchFolders(parts.watched()),
    tracker
      ? works("tracker", `UDP port ${tracker.udpPort}; ${tracker.totals().swarms} swarms.`)
      : off("tracker", "services.tracker"),
    config.services.site
      ? works("site", site()?.url ?? "It is starting.")
      : off("site", "services.site"),
  ];
}

/** Nothing where there are none. */
function watchFolders(folders: readonly WatchedFolder[]): Service[] {
  if (folders.length === 0) return [];
  const away = folders.find(({ trouble }) => trouble !== undefined);
  if (away) return [warns("watch folders", `${away.folder}: ${away.trouble}`)];
  const stuck = folders.find(({ files }) => files.length > 0);
  const [file] = stuck?.files ?? [];
  if (stuck && file) {
    const more = stuck.files.length - 1;
    const others = more === 0 ? "" : ` So do ${more} others.`;
    return [warns("watch folders", `${file.name} stays in ${stuck.folder}: ${file.why}${others}`)];
  }
  const taken = folders.reduce((sum, each) => sum + each.taken, 0);
  return [works("watch folders", `${taken} files taken from ${folders.length} folders.`)];
}

function plain({ state, words, remedy }: Omit<Service, "name">): Omit<Service, "name"> {
  return { state, words, remedy };
}

function works(name: string, words: string): Service {
  return { name, state: "works", words, remedy: null };
}

function warns(name: string, words: string): Service {
  return { name, state: "warns", words, remedy: null };
}

function off(name: string, key: string): Service {
  return { name, state: "off", words: `The setting ${key} turns it off.`, remedy: null };
}
