import { addressBytes } from "./endpoint.ts";

/**
 * The client's address, behind a proxy of ours the last hop, which that proxy wrote itself (TRK-2).
 *
 * @param remote - Of the connection.
 * @param forwarded - `X-Forwarded-For` as it came; `null` unless `remote` is such a proxy.
 */
export function clientAddress(remote: string, forwarded: string | null): Uint8Array | undefined {
  if (forwarded === null) return addressBytes(remote);
  const last = forwarded.slice(forwarded.lastIndexOf(",") + 1).trim();
  return addressBytes(last) ?? addressBytes(remote);
}
