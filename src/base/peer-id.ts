import { fromLatin1, toLatin1 } from "./bytes.ts";
import { VERSION } from "./version.ts";

export const PEER_ID_BYTES = 20;

/** Azureus style (BEP 20): client `EV`, then a digit of base 36 for each of the version's three parts, and a zero. */
export function peerIdPrefix(version: string): string {
  const parts = version.split(/[.-]/, 3).map((part) => Number(part).toString(36).toUpperCase());
  return `-EV${parts.join("")}0-`;
}

const PEER_ID_PREFIX = peerIdPrefix(VERSION);

/** @param randomBytes - At least 12 bytes from the `Random` port. */
export function makePeerId(randomBytes: Uint8Array): Uint8Array {
  const peerId = new Uint8Array(PEER_ID_BYTES);
  peerId.set(fromLatin1(PEER_ID_PREFIX));
  peerId.set(randomBytes.subarray(0, PEER_ID_BYTES - PEER_ID_PREFIX.length), PEER_ID_PREFIX.length);
  return peerId;
}

const CLIENTS: ReadonlyMap<string, string> = new Map([
  ["EV", "Everseed"],
  ["lt", "libtorrent (rakshasa)"],
  ["LT", "libtorrent"],
  ["qB", "qBittorrent"],
  ["TR", "Transmission"],
  ["UT", "uTorrent"],
  ["UM", "uTorrent Mac"],
  ["AZ", "Vuze"],
  ["BI", "BiglyBT"],
  ["DE", "Deluge"],
  ["WW", "WebTorrent"],
  ["WD", "WebTorrent Desktop"],
  ["rQ", "rqbit"],
  ["GT", "anacrolix/torrent"],
]);

/** The client's name, read from its peer id (BEP 20); "unknown client" when the id does not tell. */
export function clientName(peerId: Uint8Array): string {
  const text = toLatin1(peerId);
  if (text.startsWith("A2-")) return "aria2";
  const azureus = /^-([A-Za-z]{2})([0-9A-Za-z]{4})-/.exec(text);
  if (!azureus) return "unknown client";
  const name = CLIENTS.get(azureus[1]!) ?? azureus[1]!;
  const version = [...azureus[2]!].map((digit) => Number.parseInt(digit, 36));
  while (version.length > 2 && version.at(-1) === 0) version.pop();
  return `${name} ${version.join(".")}`;
}

/** The name under which other clients list us. */
export const OWN_NAME = clientName(fromLatin1(PEER_ID_PREFIX));
