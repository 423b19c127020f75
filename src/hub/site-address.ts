import { asHostName, isLoopback } from "../base/host-name.ts";
import { hostName } from "./request-gate.ts";

/** An interface of this machine. */
export interface Interface {
  readonly address: string;
  readonly family: string;
  /** Only this machine reaches it. */
  readonly internal: boolean;
}

/**
 * The address at which people on this machine reach the web server or, when it listens on every interface, people in
 * this network.
 *
 * @param bound - Where the web server listens.
 */
export function localUrl(
  bound: { readonly host: string; readonly port: number },
  interfaces: () => readonly Interface[],
): string {
  return `http://${asHostName(reachableHost(bound.host, interfaces))}:${bound.port}`;
}

function reachableHost(host: string, interfaces: () => readonly Interface[]): string {
  if (host !== "0.0.0.0" && host !== "::") return host;
  const outer = interfaces().find((entry) => !entry.internal && entry.family === "IPv4");
  return outer?.address ?? "127.0.0.1";
}

/** Whether others than this machine reach the site, as far as we know. An address that the owner gives is believed. */
export function isReachableSite(publicUrl: string | undefined, siteUrl: string): boolean {
  if (publicUrl !== undefined) return true;
  const host = new URL(siteUrl).hostname.replace(/^\[(.*)\]$/, "$1");
  return host !== "localhost" && !isLoopback(host);
}

/** The host names that a site answers to: those that its owner allows, its own, and the one it listens on. */
export function siteHosts(
  { allowedHosts, host }: { readonly allowedHosts: readonly string[]; readonly host: string },
  siteUrl: string,
): Set<string> {
  const names = [...allowedHosts, new URL(siteUrl).host, host];
  return new Set(names.map((name) => hostName(name) ?? name.toLowerCase()));
}
