import type { Infohashes } from "../base/infohash.ts";
import type { EngineTorrent, WakeTorrent } from "../engine/session-contract.ts";

/** A part that keeps torrents which cost nothing until somebody asks for them. */
export interface Keeper {
  readonly wake: WakeTorrent;
  /** Every torrent that it can wake, read as it is iterated. */
  readonly all: () => Iterable<Infohashes>;
}

/** The torrents of all parts that sleep. The engine asks for one when a peer or a neighbour names it. */
export class Sleepers {
  readonly #keepers: Keeper[] = [];

  /** From now on the part is asked too. */
  add(keeper: Keeper): void {
    this.#keepers.push(keeper);
  }

  /** Asks the parts in the order of their start. */
  readonly wake = async (wireInfohash: Uint8Array): Promise<EngineTorrent | undefined> => {
    for (const { wake } of this.#keepers) {
      const torrent = await wake(wireInfohash);
      if (torrent) return torrent;
    }
    return undefined;
  };

  *all(): Iterable<Infohashes> {
    for (const { all } of this.#keepers) yield* all();
  }
}
