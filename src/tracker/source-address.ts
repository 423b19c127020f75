import { addressBytes } from "../base/endpoint.ts";

/**
 * Whose address an announce is about, when the one it came from may name another: a peer behind our own
 * router knows how the world sees it. Anything but a public address is not believed (TRK-1).
 *
 * @param claimed - Text of `ip=`; empty when nothing is claimed.
 * @param source - 4 or 16 bytes, where the announce came from.
 */
export function believedAddress(claimed: string, source: Uint8Array): Uint8Array {
  const address = claimed === "" ? undefined : addressBytes(claimed);
  return address && isUnicast(address) && !isNear(address) ? address : source;
}

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

export function isLoopback(address: Uint8Array): boolean {
  if (address.length === 4) return address[0] === 127;
  return address.every((byte, index) => byte === (index === 15 ? 1 : 0));
}

/** This machine, private networks (RFC 1918, RFC 4193), link-local. */
function isNear(address: Uint8Array): boolean {
  const [first = 0, second = 0] = address;
  if (isLoopback(address)) return true;
  if (address.length === 16) {
    return (first & 0xfe) === 0xfc || (first === 0xfe && (second & 0xc0) === 0x80);
  }
  return (
    first === 10 ||
    (first === 172 && (second & 0xf0) === 16) ||
    (first === 192 && second === 168) ||
    (first === 169 && second === 254)
  );
}

/** An address one machine can have: not unspecified, multicast, reserved or broadcast. */
function isUnicast(address: Uint8Array): boolean {
  const [first = 0] = address;
  if (address.length === 4) return first !== 0 && first < 224;
  return first !== 0xff && address.some((byte) => byte !== 0);
}
