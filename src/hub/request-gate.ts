import { asHostName } from "../base/host-name.ts";

/** Names that always mean this machine. */
const LOOPBACK_NAMES: ReadonlySet<string> = new Set(["localhost", "127.0.0.1", "[::1]"]);
const SAFE_METHODS: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS"]);

/**
 * True when the request names a host that we answer to. A stranger's page whose name was bound to our address (DNS
 * rebinding) sends its own name, which is not one of ours (HUB-3).
 *
 * @param hosts - Lower-case names, without ports, IPv6 addresses in brackets.
 */
export function knowsHost(
  hostHeader: string | null,
  hosts: ReadonlySet<string>,
  localAddress: string | undefined,
): boolean {
  const name = hostName(hostHeader);
  if (name === undefined) return false;
  if (LOOPBACK_NAMES.has(name) || hosts.has(name)) return true;
  // An address cannot be bound to another; the one that the request came to is ours.
  return localAddress !== undefined && name === asHostName(localAddress);
}

/** The name in a `Host` header, lower case, without port; `undefined` when it is invalid. */
export function hostName(hostHeader: string | null): string | undefined {
  const match = /^([a-z0-9._-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?$/i.exec(hostHeader ?? "");
  return match?.[1]?.toLowerCase();
}

/**
 * True when a changing request was made by our own pages or by a program, not by another site's page in somebody's
 * browser (HUB-4).
 *
 * @param site.publicUrl - The public address of the site; a proxy in front may use another host name.
 * @param site.isApi - Whether the request is for the API, whose requests carry no form token.
 */
export function isOwnRequest(
  { method, headers }: Pick<Request, "method" | "headers">,
  { publicUrl, isApi }: { readonly publicUrl: string | undefined; readonly isApi: boolean },
): boolean {
  if (SAFE_METHODS.has(method)) return true;
  const site = headers.get("sec-fetch-site");
  if (site !== null) return site === "same-origin" || site === "none";
  const origin = headers.get("origin");
  if (origin === null) {
    // A program. Browsers send an origin with every changing request, so a cookie without one is suspicious.
    return headers.get("cookie") === null;
  }
  // Our pages send no referrer, so their plain forms have the origin "null", and over plain HTTP nothing else
  // identifies them. A form from another port of this host looks the same and shares our cookies: the token in the
  // form tells them apart. Scripts of our pages send an origin, and only they use the API with a cookie.
  if (origin === "null") return !isApi && isForm(headers);
  if (!URL.canParse(origin)) return false;
  const { host } = new URL(origin);
  return host === headers.get("host") || (!!publicUrl && host === new URL(publicUrl).host);
}

function isForm(headers: Headers): boolean {
  return headers.get("content-type")?.startsWith("application/x-www-form-urlencoded") ?? false;
}
