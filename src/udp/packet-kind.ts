import { looksLikeUtp } from "../utp/packet.ts";

/** The protocols that share a UDP port. */
export type PacketKind = "dht" | "tracker" | "utp";

/** The start of a bencoded dictionary: `d`. */
const DICTIONARY = 0x64;
/** The action and the transaction id of a tracker's reply (BEP 15). */
const TRACKER_BYTES_MIN = 8;
/** Actions: connect, announce, scrape, error. */
const ACTION_MAX = 3;

/** Tells by its first bytes to whom a packet belongs; `undefined` when to nobody. Costs nothing. */
export function packetKind(bytes: Uint8Array): PacketKind | undefined {
  const first = bytes[0];
  if (first === DICTIONARY) return "dht";
  if (first === 0) return isTrackerReply(bytes) ? "tracker" : undefined;
  return looksLikeUtp(bytes) ? "utp" : undefined;
}

function isTrackerReply(bytes: Uint8Array): boolean {
  if (bytes.length < TRACKER_BYTES_MIN) return false;
  return bytes[1] === 0 && bytes[2] === 0 && bytes[3]! <= ACTION_MAX;
}
