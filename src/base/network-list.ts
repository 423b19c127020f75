import { addressBytes } from "./endpoint.ts";

/** Bits in front of an IPv4 address that is written as IPv6 (`::ffff:0:0/96`). */
const MAPPED_BITS = 96;

interface Network {
  readonly start: Uint8Array;
  readonly bits: number;
}

/**
 * @param networks - Addresses, and networks such as "192.168.1.0/24". Anything else is left out.
 * @returns A function that tells whether an address of 4 or 16 bytes is in one of them.
 */
export function networkList(networks: readonly string[]): (address: Uint8Array) => boolean {
  const list = networks.flatMap((text) => networkOf(text) ?? []);
  return (address) => list.some((network) => liesIn(address, network));
}

function networkOf(text: string): Network | undefined {
  const [address = "", prefix] = text.split("/");
  const start = addressBytes(address);
  if (!start) return undefined;
  const whole = start.length * 8;
  if (prefix === undefined) return { start, bits: whole };
  const isMapped = start.length === 4 && address.includes(":");
  const bits = Number(prefix) - (isMapped ? MAPPED_BITS : 0);
  return bits >= 0 && bits <= whole ? { start, bits } : undefined;
}

function liesIn(address: Uint8Array, { start, bits }: Network): boolean {
  if (address.length !== start.length) return false;
  const whole = bits >> 3;
  for (let i = 0; i < whole; i += 1) if (address[i] !== start[i]) return false;
  const rest = bits & 7;
  return rest === 0 || ((address[whole]! ^ start[whole]!) & (0xff00 >> rest) & 0xff) === 0;
}
