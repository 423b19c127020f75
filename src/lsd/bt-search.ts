import { decodeUtf8, encodeUtf8, fromHex, toHex } from "../base/bytes.ts";
import { type Endpoint, formatEndpoint } from "../base/endpoint.ts";
import { INFOHASH_V1_BYTES } from "../base/infohash.ts";

/** Where neighbours hear each other (BEP 14). */
export const LSD_GROUPS: readonly Endpoint[] = [
  { address: "239.192.152.143", port: 6771 },
  { address: "ff15::efc0:988f", port: 6771 },
];

/** A longer packet may be cut into pieces on its way (BEP 14). */
const PACKET_BYTES_MAX = 1400;
/** Infohashes of one packet of ours: it stays below 1,400 bytes. */
export const SEARCH_INFOHASHES_MAX = 24;
/** Characters of a cookie, ours and others'. */
const COOKIE_CHARACTERS_MAX = 64;

/** A packet: somebody has these torrents, or looks for them, at a port of the address that it comes from. */
export interface BtSearch {
  /** Of TCP, from 1. */
  readonly port: number;
  /** 20 bytes each. */
  readonly infohashes: readonly Uint8Array[];
  /** Tells the sender its own packets; `undefined` when there is none. */
  readonly cookie: string | undefined;
}

/** @param search.infohashes - At most `SEARCH_INFOHASHES_MAX`. */
export function encodeBtSearch(search: BtSearch, group: Endpoint): Uint8Array {
  const lines = [
    "BT-SEARCH * HTTP/1.1",
    `Host: ${formatEndpoint(group)}`,
    `Port: ${search.port}`,
    ...search.infohashes.map((infohash) => `Infohash: ${toHex(infohash)}`),
    ...(search.cookie === undefined ? [] : [`cookie: ${search.cookie}`]),
  ];
  return encodeUtf8(`${lines.join("\r\n")}\r\n\r\n\r\n`);
}

/** @returns `undefined` when the packet is no search, or is too long (WIR-25). Headers that are not known are ignored. */
export function decodeBtSearch(packet: Uint8Array): BtSearch | undefined {
  if (packet.length > PACKET_BYTES_MAX) return undefined;
  const [first = "", ...lines] = decodeUtf8(packet).split(/\r?\n/);
  if (!/^BT-SEARCH \* HTTP\/1\.[01]$/.test(first)) return undefined;
  let port: number | undefined;
  let cookie: string | undefined;
  const infohashes: Uint8Array[] = [];
  for (const line of lines) {
    if (line === "") break;
    const [, name = "", value = ""] = /^([A-Za-z-]+):[ \t]*(.*?)[ \t]*$/.exec(line) ?? [];
    switch (name.toLowerCase()) {
      case "port":
        port = portOf(value);
        if (port === undefined) return undefined;
        break;
      case "infohash": {
        const infohash = fromHex(value);
        if (infohash?.length === INFOHASH_V1_BYTES) infohashes.push(infohash);
        break;
      }
      case "cookie":
        cookie = value.slice(0, COOKIE_CHARACTERS_MAX);
        break;
    }
  }
  return port === undefined || infohashes.length === 0 ? undefined : { port, infohashes, cookie };
}

function portOf(text: string): number | undefined {
  const port = /^[1-9][0-9]{0,4}$/.test(text) ? Number(text) : Number.NaN;
  return port <= 65_535 ? port : undefined;
}
