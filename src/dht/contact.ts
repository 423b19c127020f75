import { writeUint16, readUint16 } from "../base/bytes.ts";
import { addressBytes, type Endpoint, formatAddress } from "../base/endpoint.ts";
import { NODE_ID_BYTES } from "./node-id.ts";

/** A node of the DHT: its id and where it is. */
export interface Contact {
  readonly id: Uint8Array;
  readonly endpoint: Endpoint;
}

/** IPv4 and IPv6 are two networks of their own (BEP 32). */
export type Family = 4 | 6;

export const FAMILIES: readonly Family[] = [4, 6];

/** @param address - Canonical text, as in `Endpoint`. */
export function familyOf(address: string): Family {
  return address.includes(":") ? 6 : 4;
}

/** A key for maps. */
export function endpointKey(endpoint: Endpoint): string {
  return `${endpoint.address} ${endpoint.port}`;
}

/** Bytes of a contact in `nodes` (26, BEP 5) and in `nodes6` (38, BEP 32). */
export function contactBytes(family: Family): number {
  return NODE_ID_BYTES + (family === 4 ? 4 : 16) + 2;
}

/** @param contacts - All of `family`; those that are not are left out. */
export function encodeContacts(contacts: readonly Contact[], family: Family): Uint8Array {
  const size = contactBytes(family);
  const bytes = new Uint8Array(contacts.length * size);
  let end = 0;
  for (const { id, endpoint } of contacts) {
    const address = addressBytes(endpoint.address);
    if (address?.length !== size - NODE_ID_BYTES - 2) continue;
    bytes.set(id, end);
    bytes.set(address, end + NODE_ID_BYTES);
    writeUint16(bytes, end + size - 2, endpoint.port);
    end += size;
  }
  return bytes.subarray(0, end);
}

/**
 * Reads `nodes` or `nodes6`. Contacts with port 0 are left out, and so is a shorter rest at the end.
 *
 * @param countMax - Contacts that are read; what follows is ignored.
 * @returns Contacts whose ids are copies.
 */
export function decodeContacts(bytes: Uint8Array, family: Family, countMax: number): Contact[] {
  const size = contactBytes(family);
  const contacts: Contact[] = [];
  const end = Math.min(bytes.length, countMax * size);
  for (let offset = 0; offset + size <= end; offset += size) {
    const port = readUint16(bytes, offset + size - 2);
    if (port === 0) continue;
    const address = formatAddress(bytes.subarray(offset + NODE_ID_BYTES, offset + size - 2));
    // An IPv4 address in IPv6 clothes belongs to the other network.
    if (familyOf(address) !== family) continue;
    contacts.push({ id: bytes.slice(offset, offset + NODE_ID_BYTES), endpoint: { address, port } });
  }
  return contacts;
}
