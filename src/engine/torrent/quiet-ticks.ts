import type { Torrent } from "./torrent.ts";

/** A quiet torrent takes part in one of so many ticks: each five seconds. */
const TICKS_MAX = 10;

/**
 * Ticks each torrent, and quiet ones rarely: seeds that nobody is connected to, and nobody reads from. A node keeps a
 * hundred of them awake, and nothing about them is urgent.
 */
export class QuietTicks {
  #count = 0;

  tick(torrents: Iterable<Torrent>, now: number): void {
    this.#count += 1;
    let place = this.#count;
    for (const torrent of torrents) {
      place += 1;
      if (place % TICKS_MAX === 0 || !isQuiet(torrent)) torrent.tick(now);
    }
  }
}

function isQuiet({ connections, transfer, state }: Torrent): boolean {
  if (connections.swarm.size > 0 || transfer?.reads.isIdle !== true) return false;
  return state.kind === "seeding";
}
