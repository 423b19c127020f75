import { addressBytes } from "./endpoint.ts";

/** How far away an address is; nearer is less. */
export const REACH = { machine: 0, network: 1, world: 2 } as const;

export type Reach = (typeof REACH)[keyof typeof REACH];

/**
 * Where an address leads from here: to this machine, to a network that strangers do not reach (RFC 1918,
 * RFC 4193, RFC 6598, link-local), or out into the world.
 *
 * @param address - Text. What is no address counts as this machine, which is trusted with the least.
 */
export function reachOf(address: string): Reach {
  const bytes = addressBytes(address.replace(/%.*$/, ""));
  return bytes ? reachOfBytes(bytes) : REACH.machine;
}

/** @param bytes - 4 or 16. */
export function reachOfBytes(bytes: Uint8Array): Reach {
  return bytes.length === 4 ? reachOfIpv4(bytes) : reachOfIpv6(bytes);
}

/** Of the addresses of one name those that are nearest, and how near that is. */
export function nearestOf(addresses: readonly string[]): {
  readonly reach: Reach;
  readonly addresses: readonly string[];
} {
  let nearest: Reach = REACH.world;
  for (const address of addresses) {
    const reach = reachOf(address);
    if (reach < nearest) nearest = reach;
  }
  return {
    reach: nearest,
    addresses: addresses.filter((address) => reachOf(address) === nearest),
  };
}

function reachOfIpv4(bytes: Uint8Array): Reach {
  const [first = 0, second = 0] = bytes;
  // 0.0.0.0 is this machine too, when it is connected to.
  if (first === 127 || first === 0) return REACH.machine;
  const own =
    first === 10 ||
    (first === 172 && (second & 0xf0) === 16) ||
    (first === 192 && second === 168) ||
    (first === 169 && second === 254) ||
    (first === 100 && (second & 0xc0) === 64) ||
    (first === 198 && (second & 0xfe) === 18);
  return own ? REACH.network : REACH.world;
}

function reachOfIpv6(bytes: Uint8Array): Reach {
  const inner = embeddedIpv4(bytes);
  // Covers :: and ::1, whose first twelve bytes are zero as well.
  if (inner) return reachOfIpv4(inner);
  const [first = 0, second = 0] = bytes;
  const own = (first & 0xfe) === 0xfc || (first === 0xfe && (second & 0x80) !== 0);
  return own ? REACH.network : REACH.world;
}

/** The IPv4 address that `::a.b.c.d`, 6to4 (RFC 3056) and NAT64 (RFC 6052) stand for. */
function embeddedIpv4(bytes: Uint8Array): Uint8Array | undefined {
  if (startsWith(bytes, [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])) return bytes.subarray(12);
  if (startsWith(bytes, [0x20, 0x02])) return bytes.subarray(2, 6);
  if (startsWith(bytes, [0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0])) return bytes.subarray(12);
  return undefined;
}

function startsWith(bytes: Uint8Array, start: readonly number[]): boolean {
  return start.every((byte, index) => bytes[index] === byte);
}
