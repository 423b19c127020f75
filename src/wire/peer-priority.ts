import { compareBytes, concatBytes, writeUint16 } from "../base/bytes.ts";
import { addressBytes, type Endpoint } from "../base/endpoint.ts";
import { crc32c } from "../base/crc32c.ts";

/**
 * How much two peers should prefer to be connected to each other (BEP 40). Both compute the same number and neither
 * can choose it, so a crowded swarm still forms a well-mixed graph.
 *
 * @param own - Our endpoint as the other peer sees it.
 * @returns An unsigned number; when connections are full, those with higher numbers are kept.
 */
export function peerPriority(own: Endpoint, other: Endpoint): number {
  const a = literal(own.address);
  const b = literal(other.address);
  if (compareBytes(a, b) === 0) {
    const ports = new Uint8Array(4);
    writeUint16(ports, 0, Math.min(own.port, other.port));
    writeUint16(ports, 2, Math.max(own.port, other.port));
    return crc32c(ports);
  }
  const kept = a.length === 4 ? keptIpv4(a, b) : keptIpv6(a, b);
  const parts = [masked(a, kept), masked(b, kept)].sort(compareBytes);
  return crc32c(concatBytes(parts));
}

/** The number of leading bytes that count in full; of the other bytes, every second bit counts. */
function keptIpv4(a: Uint8Array, b: Uint8Array): number {
  if (!samePrefix(a, b, 2)) return 2;
  return samePrefix(a, b, 3) ? 4 : 3;
}

function keptIpv6(a: Uint8Array, b: Uint8Array): number {
  if (!samePrefix(a, b, 6)) return 6;
  return samePrefix(a, b, 7) ? 8 : 7;
}

function samePrefix(a: Uint8Array, b: Uint8Array, bytes: number): boolean {
  return compareBytes(a.subarray(0, bytes), b.subarray(0, bytes)) === 0;
}

function masked(address: Uint8Array, kept: number): Uint8Array {
  return address.map((byte, index) => (index < kept ? byte : byte & 0x55));
}

function literal(address: string): Uint8Array {
  const bytes = addressBytes(address);
  if (!bytes) throw new TypeError(`not an address: ${address}`);
  return bytes;
}
