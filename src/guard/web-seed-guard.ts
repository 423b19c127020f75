import { REACH, type Reach } from "../base/address-reach.ts";
import { formatEndpoint } from "../base/endpoint.ts";
import type { HopJudge } from "../ports/net.ts";
import type { RangeLine, WebRanges } from "../ports/web-ranges.ts";
import type { OwnNetworks } from "./own-networks.ts";

/** Opens a line to a web server. @param judgeHops - Makes the judge of one fetch and its redirects, in order. */
export type OpenRangeLine = (judgeHops: () => HopJudge) => RangeLine;

export interface WebSeedGuardOptions {
  readonly networks: OwnNetworks;
  readonly openRangeLine: OpenRangeLine;
}

/** The server that a torrent was fetched from. */
export interface TorrentServer {
  /** That answered. */
  readonly address: string;
  /** As the user named it. */
  readonly url: string;
}

/** May be anywhere. */
const ANYWHERE = "anywhere";

/**
 * Guards the connections to web seeds (house rule 8, HUB-7). A torrent chooses the path of what is fetched, so it leads
 * into our own network to one place at most:
 *
 * - Web seeds that the user names may be anywhere.
 * - Web seeds that a torrent names are in the world, or the very server that the user fetched the torrent from: a hub
 *   at home, by its address and port. What else that hub's torrents name is not its own choice, and not trusted.
 * - No redirect leads nearer than the hop before it.
 */
export class WebSeedGuard implements WebRanges {
  readonly #options: WebSeedGuardOptions;
  /** The near places that a web seed may be at. Those in the world are not listed. */
  readonly #near = new Map<string, typeof ANYWHERE | Set<string>>();

  constructor(options: WebSeedGuardOptions) {
    this.#options = options;
  }

  /** @param url - A web seed that the user names. */
  trust(url: string): void {
    this.#near.set(url, ANYWHERE);
  }

  /** A torrent from this server names web seeds. */
  vouch(urls: readonly string[], { address, url }: TorrentServer): void {
    const server = URL.parse(url);
    if (!server || this.#options.networks.reachOf(address) === REACH.world) return;
    const place = formatEndpoint({ address, port: portOf(server) });
    for (const each of urls) {
      const known = this.#near.get(each);
      if (known === ANYWHERE) continue;
      if (known) known.add(place);
      else this.#near.set(each, new Set([place]));
    }
  }

  open(seed: string): RangeLine {
    return this.#options.openRangeLine(() => this.#judgeHops(seed));
  }

  #judgeHops(seed: string): HopJudge {
    const near = this.#near.get(seed);
    let previous: Reach | undefined;
    return ({ url, addresses }) => {
      const { reach, addresses: nearest } = this.#options.networks.nearestOf(addresses);
      const { hostname } = url;
      if (reach === REACH.nowhere) return { refused: `${hostname} has no address of a machine` };
      if (previous !== undefined && reach < previous) {
        const refused = `a server elsewhere may not send us to ${hostname}, in your own network`;
        return { refused };
      }
      previous = reach;
      if (reach === REACH.world || near === ANYWHERE) return nearest;
      const port = portOf(url);
      const places = nearest.filter((address) => near?.has(formatEndpoint({ address, port })));
      if (places.length > 0) return places;
      return { refused: `${hostname} is in your own network, where a torrent may not lead` };
    };
  }
}

function portOf({ port, protocol }: URL): number {
  return port === "" ? (protocol === "https:" ? 443 : 80) : Number(port);
}
