import type { Random } from "../ports/random.ts";
import type { Signatures } from "../ports/signatures.ts";
import { ItemStore } from "./item-store.ts";
import { PeerStore } from "./peer-store.ts";
import { TokenSecrets } from "./token-secrets.ts";

/** Infohashes in one answer to `sample_infohashes`, and how long it stays the same (BEP 51). */
const SAMPLES_MAX = 20;
export const SAMPLE_MS = 10 * 60_000;
/** How often what has run out is taken out. */
const EXPIRE_MS = 60_000;

/** What a node keeps for others. Both families share it: an infohash has peers of both (BEP 32). */
export class NodeStores {
  readonly peers = new PeerStore();
  readonly items: ItemStore;
  readonly tokens: TokenSecrets;
  readonly #random: Random;
  #samples: readonly Uint8Array[] = [];
  #sampledMs = Number.NEGATIVE_INFINITY;
  #expiredMs: number;

  constructor(ports: { readonly random: Random; readonly signatures: Signatures }, now: number) {
    this.items = new ItemStore(ports.signatures);
    this.tokens = new TokenSecrets(ports.random, now);
    this.#random = ports.random;
    this.#expiredMs = now;
  }

  /** A few infohashes, the same ones for a while, so that nobody reads the store by asking often (BEP 51). */
  samples(now: number): readonly Uint8Array[] {
    if (now - this.#sampledMs >= SAMPLE_MS) {
      this.#samples = this.peers.infohashes(SAMPLES_MAX, this.#random);
      this.#sampledMs = now;
    }
    return this.#samples;
  }

  expire(now: number): void {
    if (now - this.#expiredMs < EXPIRE_MS) return;
    this.#expiredMs = now;
    this.peers.expire(now);
    this.items.expire(now);
  }
}
