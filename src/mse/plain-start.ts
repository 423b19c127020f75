import { fromLatin1 } from "../base/bytes.ts";

/** The first bytes of a handshake that is not encrypted (BEP 3). A public key begins so by a chance of one in 2^160. */
export const PLAIN_START = fromLatin1("\x13BitTorrent protocol");

/** @returns Whether a peer's first bytes begin a plain handshake; `undefined` while too few have come to tell. */
export function startsPlainly(received: Uint8Array): boolean | undefined {
  const known = Math.min(received.length, PLAIN_START.length);
  for (let at = 0; at < known; at += 1) if (received[at] !== PLAIN_START[at]) return false;
  return known === PLAIN_START.length ? true : undefined;
}
