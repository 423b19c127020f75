import { addressBytes, formatAddress } from "../base/endpoint.ts";

const URL_LENGTH_MAX = 512;

/**
 * Judges a URL that a device names for itself. It must lead to the very address that answered, so that nobody sends us
 * to another machine (WIR-26): no name, which a resolver could point anywhere, no password, no other scheme.
 *
 * @param text - As the device writes it; relative to `base` when there is one.
 * @returns `undefined` when it leads elsewhere.
 */
export function ownUrl(text: string, address: string, base?: string): URL | undefined {
  if (text.length > URL_LENGTH_MAX) return undefined;
  const url = URL.parse(text, base);
  if (url?.protocol !== "http:" || url.username !== "" || url.password !== "") return undefined;
  const host = addressBytes(url.hostname.replace(/^\[(.*)\]$/, "$1"));
  if (!host || formatAddress(host) !== address || url.port === "0") return undefined;
  return url;
}
