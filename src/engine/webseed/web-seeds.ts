import type { Random } from "../../ports/random.ts";
import type { WebSeedSource, WebSeedStatus } from "../session-contract.ts";
import { FileLayout, PieceLayout, type WebSeedLayout } from "./web-seed-layout.ts";
import { WebSeed, type WebSeedHost } from "./web-seed.ts";

/** Servers asked at the same time for one torrent; the next takes the place of one that is left alone. */
const ACTIVE_MAX = 8;

export interface WebSeedsOptions extends WebSeedHost {
  readonly sources: readonly WebSeedSource[];
  readonly random: Random;
}

/** The web servers of one torrent (BEP 17, BEP 19), as sources of blocks beside its peers. */
export class WebSeeds {
  readonly #options: WebSeedsOptions;
  readonly #seeds: readonly WebSeed[];
  #hasBegun = false;

  constructor(options: WebSeedsOptions) {
    this.#options = options;
    const seeds = options.sources.flatMap((source) => {
      const layout = this.#layoutOf(source);
      return layout ? [new WebSeed(source.url, layout, options)] : [];
    });
    // Readers of one torrent do not all begin with the same mirror.
    const turn = seeds.length > 1 ? options.random.below(seeds.length) : 0;
    this.#seeds = [...seeds.slice(turn), ...seeds.slice(0, turn)];
  }

  /** Servers that are connected now. */
  get connected(): number {
    let count = 0;
    for (const seed of this.#seeds) if (seed.isConnected) count += 1;
    return count;
  }

  get doubles(): number {
    let count = 0;
    for (const seed of this.#seeds) count += seed.doubles;
    return count;
  }

  tick(now: number): void {
    this.#hasBegun = true;
    let active = 0;
    for (const seed of this.#seeds) {
      if (seed.isOff) continue;
      seed.tick(now);
      active += 1;
      if (active === ACTIVE_MAX) return;
    }
  }

  /** Called when a burst is over. */
  settle(): void {
    if (!this.#hasBegun) this.tick(this.#options.clock.nowMs());
    for (const seed of this.#seeds) seed.settle();
  }

  /** @returns Whether the sender of blocks is one of these; it is left alone from now on. */
  ban(sender: string, reason: string): boolean {
    const seed = this.#seeds.find(({ url }) => url === sender);
    seed?.turnOff(reason);
    return seed !== undefined;
  }

  statuses(now: number): WebSeedStatus[] {
    return this.#seeds.map((seed) => seed.status(now));
  }

  /** Ends all connections. */
  close(): void {
    for (const seed of this.#seeds) seed.close();
  }

  #layoutOf({ url, kind }: WebSeedSource): WebSeedLayout | undefined {
    const { info } = this.#options;
    if (kind === "files") return new FileLayout(url, info);
    // A server of pieces knows the pieces of v1 only.
    const { v1 } = info.infohashes;
    return v1 && new PieceLayout(url, info, v1);
  }
}
