import { isLoopback } from "../base/host-name.ts";

/** Where the UDP tracker of a hub listens. */
export interface UdpPlace {
  readonly host: string;
  readonly port: number;
}

/**
 * The announce URLs that published torrents and magnet links name, each a tier of its own. HTTP comes
 * first: whoever got the torrent here reaches it. Beside it in one tier, programs would ask over UDP first
 * half of the time, and wait for a firewall that drops it; behind it, UDP serves when HTTP is refused, and
 * those who ask all tiers. Asked by both ways, the tracker sees the same peer.
 *
 * @param siteUrl - Without a slash at its end.
 * @param udp - `undefined` when it is not to be named.
 */
export function announceUrls(siteUrl: string, udp: UdpPlace | undefined): string[] {
  const urls = [`${siteUrl}/announce`];
  const { hostname } = new URL(siteUrl);
  // A hub behind a proxy on its machine may hear nobody else's packets.
  const isReachable = udp && (!isHere(udp.host) || isHere(hostname));
  if (isReachable) urls.push(`udp://${hostname}:${udp.port}/announce`);
  return urls;
}

function isHere(host: string): boolean {
  return host === "localhost" || isLoopback(host.replace(/^\[|\]$/g, ""));
}
