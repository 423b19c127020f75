import type { PickRoom } from "./pick-room.ts";
import type { PieceChooser } from "./piece-chooser.ts";
import type { PieceLedger } from "./piece-ledger.ts";
import type { PickerPeer } from "./swarm-pieces.ts";

/** Blocks a peer may owe us when it is given duplicates of what others were asked for. */
const END_GAME_OUTSTANDING_MAX = 8;

/** Blocks others sent in place of a peer since its last one, until it is no help in the end game. */
const OVERTAKEN_MAX = 4;

/** When every block is asked of somebody, those that are idle are asked for what others owe us (BEP 3). */
export class EndGame {
  readonly #ledger: PieceLedger;
  readonly #chooser: PieceChooser;

  constructor(ledger: PieceLedger, chooser: PieceChooser) {
    this.#ledger = ledger;
    this.#chooser = chooser;
  }

  /**
   * Whether a peer takes part. Not one that may be lying. Nor one that is overtaken itself, nor a stranger
   * while we know better ones: two that say nothing would hold a block between them (WIR-15).
   */
  takesPart(who: PickerPeer): boolean {
    if (who.suspected || who.overtaken >= OVERTAKEN_MAX || !this.#chooser.isEndGame) return false;
    return who.proven || !this.#ledger.swarm.hasProvenPeer();
  }

  /** Asks this peer too for what others owe us. @returns How many blocks are written then. */
  ask(who: PickerPeer, room: PickRoom): number {
    const roomLeft = END_GAME_OUTSTANDING_MAX - who.outstanding;
    const blocksMax = Math.min(room.blocksMax, room.count + roomLeft);
    let { count } = room;
    for (const started of this.#ledger.started.all()) {
      if (count >= blocksMax) break;
      if (started.strict || started.single === 0) continue;
      if (!who.has(started.piece) || this.#ledger.priority(started.piece) === 0) continue;
      let block = started.askAlso(who.key, -1);
      while (block >= 0) {
        this.#ledger.forgetDropped(started);
        room.out.pieces[count] = started.piece;
        room.out.blocks[count] = block;
        count += 1;
        if (count >= blocksMax) break;
        block = started.askAlso(who.key, block);
      }
    }
    who.outstanding += count - room.count;
    return count;
  }
}
