import type { PickRoom } from "./pick-room.ts";
import type { PieceChooser } from "./piece-chooser.ts";
import type { PieceLedger } from "./piece-ledger.ts";
import type { PickerPeer } from "./swarm-pieces.ts";

/** A peer that owes us this many blocks gets no more duplicates of blocks that others were asked for. */
const END_GAME_OUTSTANDING_MAX = 8;

/** When others sent this many blocks in its place since its last one, a peer no longer helps in the end game. */
const OVERTAKEN_MAX = 4;

/** When every block is requested, idle peers are asked for blocks that others owe us (BEP 3). */
export class EndGame {
  readonly #ledger: PieceLedger;
  readonly #chooser: PieceChooser;

  constructor(ledger: PieceLedger, chooser: PieceChooser) {
    this.#ledger = ledger;
    this.#chooser = chooser;
  }

  /**
   * Whether a peer takes part. A peer that may be lying does not. Neither does one that others overtake, nor a stranger
   * while we know better peers: two silent peers would keep a block between them (WIR-15).
   */
  takesPart(who: PickerPeer): boolean {
    if (who.suspected || who.overtaken >= OVERTAKEN_MAX || !this.#chooser.isEndGame) return false;
    return who.proven || !this.#ledger.swarm.hasProvenPeer();
  }

  /** Also asks this peer for blocks that others owe us. @returns The number of blocks written in total. */
  ask(who: PickerPeer, room: PickRoom): number {
    const roomLeft = END_GAME_OUTSTANDING_MAX - who.outstanding;
    const blocksMax = Math.min(room.blocksMax, room.count + roomLeft);
    let { count } = room;
    for (const started of this.#ledger.started.all()) {
      if (count >= blocksMax) break;
      if (started.strict || started.single === 0) continue;
      if (!who.has(started.piece) || this.#ledger.priority(started.piece) === 0) continue;
      const isOwn = who.isServer ? (asked: number) => this.#isTwin(who, asked) : undefined;
      let block = started.askAlso(who.key, -1, isOwn);
      while (block >= 0) {
        this.#ledger.forgetDropped(started);
        room.out.pieces[count] = started.piece;
        room.out.blocks[count] = block;
        count += 1;
        if (count >= blocksMax) break;
        block = started.askAlso(who.key, block, isOwn);
      }
    }
    who.outstanding += count - room.count;
    return count;
  }

  /** The other is a connection to the same server: it sends the block as soon as this one could. */
  #isTwin(who: PickerPeer, other: number): boolean {
    return this.#ledger.swarm.find(other)?.sender === who.sender;
  }
}
