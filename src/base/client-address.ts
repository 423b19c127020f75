import { addressBytes } from "./endpoint.ts";

/**
 * The client's address. Behind a trusted proxy it is the last hop, which that proxy itself added (TRK-2).
 *
 * @param remote - Address of the connection.
 * @param forwarded - The raw `X-Forwarded-For` header; `null` unless `remote` is a trusted proxy.
 */
export function clientAddress(remote: string, forwarded: string | null): Uint8Array | undefined {
  if (forwarded === null) return addressBytes(remote);
  const last = forwarded.slice(forwarded.lastIndexOf(",") + 1).trim();
  return addressBytes(last) ?? addressBytes(remote);
}
