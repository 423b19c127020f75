import type { ConnectionId } from "../announce/udp-request.ts";
import { concatBytes, encodeUtf8, readUint32 } from "../base/bytes.ts";
import { formatEndpoint, type Endpoint } from "../base/endpoint.ts";
import { sha256 } from "../base/hash.ts";
import type { Random } from "../ports/random.ts";

const SECRET_BYTES = 32;
const WINDOW_MS = 60_000;
/**
 * An id stays valid this many windows after its own: two to three minutes (BEP 15 asks for two).
 */
const WINDOWS_MAX = 2;
const WINDOW_MASK = 0xff;

/**
 * Connection ids without state (TRK-8): a keyed digest of address, port and minute, with the
 * minute's low eight bits in clear. Truncated to 56 bits, the digest allows no length extension.
 */
export class ConnectionIds {
  readonly #secret: Uint8Array;

  constructor(random: Random) {
    this.#secret = random.bytes(SECRET_BYTES);
  }

  issue(peer: Endpoint, nowMs: number): ConnectionId {
    return this.#idOf(peer, Math.floor(nowMs / WINDOW_MS));
  }

  isValid(high: number, low: number, peer: Endpoint, nowMs: number): boolean {
    const now = Math.floor(nowMs / WINDOW_MS);
    const age = (now - low) & WINDOW_MASK;
    if (age > WINDOWS_MAX) return false;
    const expected = this.#idOf(peer, now - age);
    return ((expected[0] ^ high) | (expected[1] ^ low)) === 0;
  }

  #idOf(peer: Endpoint, window: number): ConnectionId {
    const text = encodeUtf8(`${window} ${formatEndpoint(peer)}`);
    const digest = sha256(concatBytes([this.#secret, text]));
    const low = ((readUint32(digest, 4) & ~WINDOW_MASK) | (window & WINDOW_MASK)) >>> 0;
    return [readUint32(digest, 0), low];
  }
}
