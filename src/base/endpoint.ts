import { readUint16, writeUint16 } from "./bytes.ts";

/** An address and a port. `address` is canonical text: dotted IPv4, or RFC 5952 IPv6 without brackets. */
export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

export const COMPACT_IPV4_BYTES = 6;
export const COMPACT_IPV6_BYTES = 18;

const DOT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;

/** `1.2.3.4:80` or `[2001:db8::1]:80`. */
export function formatEndpoint(endpoint: Endpoint): string {
  return endpoint.address.includes(":")
    ? `[${endpoint.address}]:${endpoint.port}`
    : `${endpoint.address}:${endpoint.port}`;
}

/** @returns `undefined` when the text is not `address:port` with a literal address and port 1..65535. */
export function parseEndpoint(text: string): Endpoint | undefined {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([0-9.]+)):([0-9]{1,5})$/.exec(text);
  if (!match) return undefined;
  const bytes = addressBytes(match[1] ?? match[2]!);
  const port = Number(match[3]);
  if (!bytes || port < 1 || port > 65535) return undefined;
  return { address: formatAddress(bytes), port };
}

/** @returns 4 or 16 bytes; IPv4-mapped IPv6 becomes IPv4 (TRK-21). `undefined` when not an address. */
export function addressBytes(address: string): Uint8Array | undefined {
  const bytes = address.includes(":") ? ipv6Bytes(address) : ipv4Bytes(address);
  return bytes && isMapped(bytes) ? bytes.subarray(12) : bytes;
}

/** The canonical text of 4 or 16 address bytes; IPv4-mapped IPv6 is written as IPv4. */
export function formatAddress(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join(".");
  if (isMapped(bytes)) return bytes.subarray(12).join(".");
  const groups: number[] = [];
  for (let i = 0; i < 16; i += 2) groups.push(readUint16(bytes, i));
  let bestStart = -1;
  let bestLength = 1; // a single zero group is not shortened (RFC 5952 4.2.2)
  for (let i = 0; i < 8; i += 1) {
    let length = 0;
    while (i + length < 8 && groups[i + length] === 0) length += 1;
    if (length > bestLength) {
      bestStart = i;
      bestLength = length;
    }
    if (length > 0) i += length;
  }
  const text = groups.map((group) => group.toString(16));
  if (bestStart < 0) return text.join(":");
  return `${text.slice(0, bestStart).join(":")}::${text.slice(bestStart + bestLength).join(":")}`;
}

/** Address bytes, then the port: 6 bytes for IPv4 (BEP 23), 18 for IPv6 (BEP 7). */
export function encodeCompact(endpoint: Endpoint): Uint8Array {
  const address = addressBytes(endpoint.address);
  if (!address) throw new TypeError(`not an address: ${endpoint.address}`);
  const compact = new Uint8Array(address.length + 2);
  compact.set(address);
  writeUint16(compact, address.length, endpoint.port);
  return compact;
}

/**
 * Reads a string of compact endpoints. Entries with port 0 are left out.
 *
 * @param entryBytes - 6 or 18; a shorter rest at the end is ignored.
 */
export function decodeCompact(bytes: Uint8Array, entryBytes: 6 | 18): Endpoint[] {
  const endpoints: Endpoint[] = [];
  for (let offset = 0; offset + entryBytes <= bytes.length; offset += entryBytes) {
    const port = readUint16(bytes, offset + entryBytes - 2);
    if (port === 0) continue;
    endpoints.push({
      address: formatAddress(bytes.subarray(offset, offset + entryBytes - 2)),
      port,
    });
  }
  return endpoints;
}

function isMapped(bytes: Uint8Array): boolean {
  if (bytes.length !== 16 || bytes[10] !== 0xff || bytes[11] !== 0xff) return false;
  for (let i = 0; i < 10; i += 1) if (bytes[i] !== 0) return false;
  return true;
}

function ipv4Bytes(address: string): Uint8Array | undefined {
  const bytes = new Uint8Array(4);
  let index = 0;
  let digits = 0;
  let value = 0;
  for (let at = 0; at <= address.length; at += 1) {
    const code = at < address.length ? address.charCodeAt(at) : DOT;
    if (code === DOT) {
      if (digits === 0 || value > 255 || index === 4) return undefined;
      bytes[index] = value;
      index += 1;
      digits = 0;
      value = 0;
      continue;
    }
    // No leading zeros: some readers take them as octal.
    if (code < ZERO || code > NINE || digits === 3 || (digits === 1 && value === 0))
      return undefined;
    value = value * 10 + code - ZERO;
    digits += 1;
  }
  return index === 4 ? bytes : undefined;
}

function ipv6Bytes(address: string): Uint8Array | undefined {
  let text = address;
  const dotted = /^(.*:)([0-9.]+)$/.exec(text);
  if (dotted && dotted[2]!.includes(".")) {
    const tail = ipv4Bytes(dotted[2]!);
    if (!tail) return undefined;
    text = `${dotted[1]}${readUint16(tail, 0).toString(16)}:${readUint16(tail, 2).toString(16)}`;
  }
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const head = halves[0] === "" ? [] : halves[0]!.split(":");
  const tail = halves.length < 2 || halves[1] === "" ? [] : halves[1]!.split(":");
  const missing = 8 - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  const groups = [...head, ...Array.from({ length: missing }, () => "0"), ...tail];
  const bytes = new Uint8Array(16);
  for (const [index, group] of groups.entries()) {
    if (!/^[0-9a-fA-F]{1,4}$/.test(group)) return undefined;
    writeUint16(bytes, index * 2, Number.parseInt(group, 16));
  }
  return bytes;
}
