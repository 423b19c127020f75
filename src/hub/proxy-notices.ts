import type { Log } from "../ports/log.ts";

/** What a configuration says about a proxy in front of the site. */
export interface ProxySettings {
  readonly publicUrl?: string | undefined;
  /** Proxies whose headers are believed. */
  readonly proxies: readonly string[];
}

/**
 * Warns at the start of a mistake that would only show when the first stranger comes: a public address that is not this
 * server's, and no proxy named.
 *
 * @param port - The bound port of the web server.
 */
export function warnOfUnnamedProxy(settings: ProxySettings, port: number, log: Log): void {
  const { publicUrl, proxies } = settings;
  if (publicUrl === undefined || proxies.length > 0) return;
  const url = new URL(publicUrl);
  if (url.protocol === "http:" && Number(url.port || 80) === port) return;
  log.warn(
    `"publicUrl" says that a proxy stands in front, but "proxies" is empty: everybody behind it will look like ` +
      "one address. When it runs on this machine, try: proxies: [127.0.0.1]",
  );
}

/** @returns Logs the first address of a proxy that the settings do not name; the advice is the same for all. */
export function unnamedProxyNotice(log: Log): (address: string) => void {
  let isLogged = false;
  return (address) => {
    if (isLogged) return;
    isLogged = true;
    log.error(
      `a proxy at ${address} passes requests on, but "proxies" does not name it: everybody behind it looks like ` +
        `one address, setup is closed to it, and the tracker names its peers to nobody. Try: proxies: [${address}]`,
    );
  };
}
