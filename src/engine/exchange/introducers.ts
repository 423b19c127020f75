import { addressKey, type PeerAddress } from "../../base/peer-address.ts";

/** Addresses kept of one peer, the newest: peer exchange names a hundred in a message at most. */
const PER_PEER_MAX = 200;

/** Which peers say that they are connected to an address, and can introduce us there (BEP 55). */
export class Introducers<P> {
  /** By `addressKey`, the oldest first. */
  readonly #named = new Map<P, Set<string>>();

  note(peer: P, addresses: readonly PeerAddress[]): void {
    const named = this.#named.get(peer) ?? new Set();
    this.#named.set(peer, named);
    for (const address of addresses) {
      const key = addressKey(address);
      named.delete(key);
      named.add(key);
      if (named.size <= PER_PEER_MAX) continue;
      const [oldest] = named;
      named.delete(oldest!);
    }
  }

  /** The peer is connected to them no more. */
  retract(peer: P, addresses: readonly PeerAddress[]): void {
    const named = this.#named.get(peer);
    for (const address of addresses) named?.delete(addressKey(address));
  }

  leave(peer: P): void {
    this.#named.delete(peer);
  }

  clear(): void {
    this.#named.clear();
  }

  of(address: PeerAddress): P[] {
    const key = addressKey(address);
    return [...this.#named].filter(([, named]) => named.has(key)).map(([peer]) => peer);
  }
}
