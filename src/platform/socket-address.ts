import { addressBytes, type Endpoint, formatAddress } from "../base/endpoint.ts";
import type { NetFailure } from "../ports/net.ts";

/** How the system begins the text of an IPv4 address at a socket of both families. */
const MAPPED = "::ffff:";

/**
 * Converts an endpoint of the operating system to canonical form: IPv4-mapped IPv6 becomes IPv4
 * (TRK-21).
 */
export function openEndpoint(from: { readonly address: string; readonly port: number }): Endpoint {
  const { address, port } = from;
  // Most are canonical as they come. This is done for each packet, and a flood makes many of them (DHT-1).
  if (!address.includes(":")) return { address, port };
  if (address.startsWith(MAPPED) && address.includes(".")) {
    return { address: address.slice(MAPPED.length), port };
  }
  // A zone ("fe80::1%eth0") has a meaning on this machine only; addresses are compared without it.
  const literal = address.replace(/%.*$/, "");
  const bytes = addressBytes(literal);
  return { address: bytes ? formatAddress(bytes) : literal, port };
}

const WORDS: ReadonlyMap<string, string> = new Map([
  ["EADDRINUSE", "another program uses it already"],
  ["EADDRNOTAVAIL", "this machine does not have that address"],
  ["EACCES", "this user does not have permission"],
  ["ECONNREFUSED", "no program listens there"],
  ["ECONNRESET", "the other side reset the connection"],
  ["EPIPE", "the other side is gone"],
  ["EHOSTUNREACH", "the address is unreachable"],
  ["ENETUNREACH", "the address is unreachable"],
  ["ETIMEDOUT", "no answer in time"],
  ["EMFILE", "too many files and connections are open"],
  ["ENFILE", "too many files and connections are open on this machine"],
]);

/** Describes an error of `node:net` or `node:dgram`, in words if it is a common one. */
export function toNetFailure(error: Error): NetFailure {
  const code = "code" in error && typeof error.code === "string" ? error.code : "EIO";
  return { code, message: WORDS.get(code) ?? error.message };
}
