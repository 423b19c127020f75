import { REACH, reachOfBytes } from "../base/address-reach.ts";
import { crc32c } from "../base/crc32c.ts";
import { addressBytes } from "../base/endpoint.ts";
import type { Random } from "../ports/random.ts";
import { NODE_ID_BYTES } from "./node-id.ts";

/** Bits of an address that the id is made from, from its first byte on (BEP 42). */
const IPV4_MASK = Uint8Array.of(0x03, 0x0f, 0x3f, 0xff);
const IPV6_MASK = Uint8Array.of(0x01, 0x03, 0x07, 0x0f, 0x1f, 0x3f, 0x7f, 0xff);

/**
 * Makes an id that fits an address (BEP 42): whoever wants an id near a target needs an address that leads to it.
 *
 * @param address - 4 or 16 bytes.
 */
export function makeSecureId(address: Uint8Array, random: Random): Uint8Array {
  const id = random.bytes(NODE_ID_BYTES);
  const crc = idChecksum(address, id[NODE_ID_BYTES - 1]!);
  id[0] = crc >>> 24;
  id[1] = crc >>> 16;
  id[2] = ((crc >>> 8) & 0xf8) | (id[2]! & 0x07);
  return id;
}

/**
 * Tells whether an id fits the address of its node (BEP 42). Addresses that strangers do not reach fit every id.
 *
 * @param address - Text. What is no address fits nothing.
 */
export function isSecureId(id: Uint8Array, address: string): boolean {
  const bytes = addressBytes(address);
  if (!bytes) return false;
  if (reachOfBytes(bytes) !== REACH.world) return true;
  const crc = idChecksum(bytes, id[NODE_ID_BYTES - 1]!);
  return (
    id[0] === crc >>> 24 && id[1] === ((crc >>> 16) & 0xff) && ((id[2]! ^ (crc >>> 8)) & 0xf8) === 0
  );
}

/**
 * @param lastByte - Of the id; its low three bits are the number that gives each address eight ids.
 * @returns CRC-32C, of which the id begins with the first 21 bits.
 */
export function idChecksum(address: Uint8Array, lastByte: number): number {
  const mask = address.length === 4 ? IPV4_MASK : IPV6_MASK;
  const input = mask.map((bits, index) => bits & address[index]!);
  input[0]! |= (lastByte & 7) << 5;
  return crc32c(input);
}
