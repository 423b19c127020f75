import { localUrl } from "../hub/site-address.ts";
import { unnamedProxyNotice, warnOfUnnamedProxy } from "../hub/proxy-notices.ts";
import { ownInterfaces } from "../platform/own-interfaces.ts";
import type { WebServer } from "../platform/web-server.ts";
import { openHubServer } from "./hub-server.ts";
import type { Ends, Ground } from "./node-ground.ts";

/** The web port, and the addresses at which people reach it. */
export interface SitePort {
  readonly server: WebServer;
  /** From this machine, or this network. */
  readonly serverUrl: string;
  /** From outside. */
  readonly siteUrl: string;
}

/**
 * Binds the web port, of the site and of the tracker over HTTP.
 *
 * @throws {CommandError} (rejects) As `openHubServer`.
 */
export async function openSitePort({ config, log, faults }: Ground, ends: Ends): Promise<SitePort> {
  const server = await openHubServer({
    ...config,
    onUnnamedProxy: unnamedProxyNotice(log),
    faults,
  });
  ends.push(() => server.close());
  warnOfUnnamedProxy(config, server.port, log);
  const serverUrl = localUrl(server, ownInterfaces);
  const siteUrl = config.publicUrl ? new URL(config.publicUrl).origin : serverUrl;
  return { server, serverUrl, siteUrl };
}
