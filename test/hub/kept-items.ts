import { toHex } from "../../src/base/bytes.ts";
import { type MutableItem, targetOf } from "../../src/dht/item.ts";
import type { PublicationPlace } from "../../src/dht/mutable-torrent.ts";
import type { KeptVersionStatus } from "../../src/dht/version-keeper.ts";
import type { ItemKeeper } from "../../src/publish/torrent-versions.ts";

const keyOf = ({ publicKey, salt }: PublicationPlace): string =>
  toHex(targetOf({ kind: "mutable", publicKey, salt }));

/** A keeper without a network: what it was told to keep, and what it says of it. */
export class KeptItems {
  readonly #items = new Map<string, MutableItem>();
  status: KeptVersionStatus = { storedMs: undefined, nodes: 0, newer: undefined };
  /** `undefined` while the DHT is off. */
  keeper: ItemKeeper | undefined = {
    keep: (item) => void this.#items.set(keyOf(item), item),
    drop: (place) => void this.#items.delete(keyOf(place)),
    statusOf: (place) => (this.#items.has(keyOf(place)) ? this.status : undefined),
  };

  get sequences(): bigint[] {
    return [...this.#items.values()].map(({ sequence }) => sequence);
  }
}
