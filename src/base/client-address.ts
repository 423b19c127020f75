import { addressBytes } from "./endpoint.ts";

/** `192.0.2.1:4711`, `[2001:db8::1]:4711` and `[2001:db8::1]`: some proxies write these. */
const WITH_PORT = /^(?:\[([0-9a-f:.]+)\]|([0-9.]+))(?::[0-9]{1,5})?$/i;

/**
 * The client's address. Behind a trusted proxy it is the last hop, which that proxy itself added (TRK-2).
 *
 * @param remote - Address of the connection.
 * @param forwarded - The raw `X-Forwarded-For` header; `null` unless `remote` is a trusted proxy.
 * @returns `undefined` when there is no address. The proxy's own address is no substitute: it may be this machine's.
 */
export function clientAddress(remote: string, forwarded: string | null): Uint8Array | undefined {
  if (forwarded === null) return addressBytes(remote);
  const last = forwarded.slice(forwarded.lastIndexOf(",") + 1).trim();
  const [, ipv6, ipv4] = WITH_PORT.exec(last) ?? [];
  return addressBytes(ipv6 ?? ipv4 ?? last);
}
