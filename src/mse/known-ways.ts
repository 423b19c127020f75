import { addressKey, type PeerAddress } from "../base/peer-address.ts";

/** Peers whose way is remembered; the one that was dialled the longest ago is forgotten. */
const PEERS_MAX = 4_096;

type Way = "encrypted" | "plain";

interface Known {
  way: Way;
  /** The last connection got through in this way. */
  hasWorked: boolean;
}

/**
 * How to dial each peer where both ways are allowed: encrypted first, plainly when that has failed, and encrypted again
 * when that fails too. Each failure of one way allows one dial of the other at once.
 */
export class KnownWays {
  readonly #known = new Map<string, Known>();

  /** A peer is dialled. */
  next(remote: PeerAddress): Way {
    const key = addressKey(remote);
    const known = this.#known.get(key) ?? { way: "encrypted", hasWorked: false };
    known.hasWorked = false;
    this.#known.delete(key);
    this.#known.set(key, known);
    if (this.#known.size > PEERS_MAX) this.#forgetOldest();
    return known.way;
  }

  /** The peer speaks message stream encryption. */
  handleEncrypted(remote: PeerAddress): void {
    const known = this.#known.get(addressKey(remote));
    if (known) known.hasWorked = true;
  }

  /** The connection ended before the peer's handshake. @returns Whether the other way is worth a dial now. */
  handleFailed(remote: PeerAddress): boolean {
    const key = addressKey(remote);
    const known = this.#known.get(key);
    if (!known || known.hasWorked) return false;
    if (known.way === "encrypted") {
      known.way = "plain";
      return true;
    }
    this.#known.delete(key);
    return false;
  }

  #forgetOldest(): void {
    for (const oldest of this.#known.keys()) {
      this.#known.delete(oldest);
      return;
    }
  }
}
