import { isLoopback } from "../base/host-name.ts";

/** The address where a hub's UDP tracker listens. */
export interface UdpPlace {
  readonly host: string;
  readonly port: number;
}

/**
 * Lists the announce URLs of published torrents and magnet links, each in its own tier. HTTP comes
 * first, because anyone who got the torrent here can reach it. In one shared tier, clients would
 * try UDP first half of the time and wait for a firewall that drops it. In a second tier, UDP
 * serves clients that HTTP refuses and clients that announce to all tiers. The tracker recognises a
 * peer that uses both.
 *
 * @param siteUrl - Without a slash at its end.
 * @param udp - `undefined` leaves UDP out.
 */
export function announceUrls(siteUrl: string, udp: UdpPlace | undefined): string[] {
  const urls = [`${siteUrl}/announce`];
  const { hostname } = new URL(siteUrl);
  // A hub behind a proxy on its own machine may receive no packets from elsewhere.
  const isReachable = udp && (!isHere(udp.host) || isHere(hostname));
  if (isReachable) urls.push(`udp://${hostname}:${udp.port}/announce`);
  return urls;
}

/**
 * The UDP address that published torrents may name: only one that will be the same after the next start.
 *
 * @param wanted.port - As configured; `undefined` for the port of the web site.
 * @param bound.port - 0 was tried last, so this may be any free port.
 */
export function lastingUdp(
  wanted: { readonly host: string; readonly port: number | undefined; readonly named: boolean },
  bound: { readonly port: number; readonly webPort: number },
): UdpPlace | undefined {
  const isFallback = wanted.port === undefined && bound.port !== bound.webPort;
  return wanted.named && !isFallback ? { host: wanted.host, port: bound.port } : undefined;
}

function isHere(host: string): boolean {
  return host === "localhost" || isLoopback(host.replace(/^\[|\]$/g, ""));
}
