import { addressBytes } from "./endpoint.ts";

/** How far away an address is; lower is nearer. `nowhere` is an address that no single machine can be reached at. */
export const REACH = { nowhere: -1, machine: 0, network: 1, world: 2 } as const;

export type Reach = (typeof REACH)[keyof typeof REACH];

/** A part of the address space and where it leads. A function reads the answer from the address itself. */
interface Block {
  readonly start: Uint8Array;
  readonly bits: number;
  readonly reach: Reach | ((bytes: Uint8Array) => Reach);
}

/**
 * The special-purpose address registries of IANA (RFC 6890), IPv4. An address outside these blocks belongs to the
 * world. The first block that matches counts.
 */
const IPV4_BLOCKS = blocks([
  // A connection to 0.0.0.0 reaches this machine.
  ["0.0.0.0/8", REACH.machine],
  ["127.0.0.0/8", REACH.machine],
  ["10.0.0.0/8", REACH.network],
  ["100.64.0.0/10", REACH.network], // behind a provider's translator (RFC 6598)
  ["169.254.0.0/16", REACH.network],
  ["172.16.0.0/12", REACH.network],
  ["192.0.0.0/24", REACH.network], // between a customer and a provider (RFC 6333, RFC 7723)
  ["192.168.0.0/16", REACH.network],
  ["198.18.0.0/15", REACH.network], // test benches (RFC 2544)
  ["192.0.2.0/24", REACH.nowhere], // documentation (RFC 5737)
  ["198.51.100.0/24", REACH.nowhere],
  ["203.0.113.0/24", REACH.nowhere],
  ["192.88.99.0/24", REACH.nowhere], // relays of 6to4, withdrawn (RFC 7526)
  ["224.0.0.0/4", REACH.nowhere], // multicast
  ["240.0.0.0/4", REACH.nowhere], // reserved, and broadcast
]);

/** IPv6: global unicast is 2000::/3. Everything outside it that is not listed here is unassigned. */
const IPV6_BLOCKS = blocks([
  // These stand for IPv4 addresses: mapped, compatible (with :: and ::1), translated, NAT64, 6to4.
  ["::ffff:0:0/96", ipv4At(12)],
  ["::/96", ipv4At(12)],
  ["::ffff:0:0:0/96", ipv4At(12)],
  ["64:ff9b::/96", ipv4At(12)],
  ["2002::/16", ipv4At(2)],
  // A translator of the local network (RFC 8215): it may lead to anything in that network.
  ["64:ff9b:1::/48", REACH.network],
  ["2001::/32", reachOfTeredo],
  ["2001:1::/126", REACH.world], // anycast for PCP, TURN and DNS-SD
  ["2001:2::/48", REACH.network], // test benches (RFC 5180)
  ["2001:3::/32", REACH.world], // AMT
  ["2001:4:112::/48", REACH.world], // AS112
  ["2001::/23", REACH.nowhere], // the rest of the protocol assignments: identifiers, not places
  ["2001:db8::/32", REACH.nowhere], // documentation (RFC 3849)
  ["3fff::/20", REACH.nowhere], // documentation (RFC 9637)
  ["2000::/3", REACH.world],
  ["fc00::/7", REACH.network],
  ["fe80::/10", REACH.network],
  ["fec0::/10", REACH.network], // site-local, withdrawn and still in use
  ["5f00::/16", REACH.network], // segment routing inside a network (RFC 9602)
  ["::/0", REACH.nowhere], // multicast, discard-only, and what nobody has been given
]);

/**
 * Where an address leads from here: to this machine, to a network that strangers do not reach (RFC 1918,
 * RFC 4193, RFC 6598, link-local), out into the world, or nowhere (multicast, broadcast, documentation).
 *
 * @param address - Text. Anything that is not an address counts as this machine, the most restricted answer.
 */
export function reachOf(address: string): Reach {
  const bytes = addressBytes(address.replace(/%.*$/, ""));
  return bytes ? reachOfBytes(bytes) : REACH.machine;
}

/** @param bytes - 4 or 16. */
export function reachOfBytes(bytes: Uint8Array): Reach {
  const table = bytes.length === 4 ? IPV4_BLOCKS : IPV6_BLOCKS;
  for (const { start, bits, reach } of table) {
    if (lies(bytes, start, bits)) return typeof reach === "number" ? reach : reach(bytes);
  }
  return REACH.world;
}

/**
 * Picks the nearest addresses of one name, and says how near they are. Addresses that lead nowhere are left out.
 */
export function nearestOf(
  addresses: readonly string[],
  judge: (address: string) => Reach = reachOf,
): {
  readonly reach: Reach;
  readonly addresses: readonly string[];
} {
  const places = addresses
    .map((address) => ({ address, reach: judge(address) }))
    .filter(({ reach }) => reach !== REACH.nowhere);
  if (places.length === 0) return { reach: REACH.nowhere, addresses: [] };
  let nearest: Reach = REACH.world;
  for (const { reach } of places) if (reach < nearest) nearest = reach;
  const kept = places.filter(({ reach }) => reach === nearest);
  return { reach: nearest, addresses: kept.map(({ address }) => address) };
}

/** The reach of the IPv4 address inside an IPv6 address. */
function ipv4At(offset: number): (bytes: Uint8Array) => Reach {
  return (bytes) => reachOfBytes(bytes.subarray(offset, offset + 4));
}

/** Teredo (RFC 4380) embeds two IPv4 addresses: the server's, and the inverted address of the client's router. */
function reachOfTeredo(bytes: Uint8Array): Reach {
  const server = reachOfBytes(bytes.subarray(4, 8));
  const client = reachOfBytes(bytes.slice(12).map((byte) => byte ^ 0xff));
  return server < client ? server : client;
}

function lies(bytes: Uint8Array, start: Uint8Array, bits: number): boolean {
  const whole = bits >> 3;
  for (let i = 0; i < whole; i += 1) if (bytes[i] !== start[i]) return false;
  const rest = bits & 7;
  return rest === 0 || ((bytes[whole]! ^ start[whole]!) & (0xff00 >> rest) & 0xff) === 0;
}

function blocks(table: readonly (readonly [network: string, reach: Block["reach"]])[]): Block[] {
  return table.map(([network, reach]) => {
    const [address = "", bits = ""] = network.split("/");
    return { start: blockStart(address), bits: Number(bits), reach };
  });
}

/** Like `addressBytes`, but does not read ::ffff:0:0/96 as IPv4. */
function blockStart(address: string): Uint8Array {
  if (address !== "::ffff:0:0") return addressBytes(address)!;
  const bytes = new Uint8Array(16);
  bytes.fill(0xff, 10, 12);
  return bytes;
}
