import { Deadlines } from "./deadlines.ts";
import type { PickRoom } from "./pick-room.ts";
import type { PeerKey } from "./peer-key.ts";
import type { PickOptions, PieceChooser } from "./piece-chooser.ts";
import type { PieceLedger } from "./piece-ledger.ts";
import type { PickerPeer } from "./swarm-pieces.ts";

/** So many of the soonest pieces are fetched from as many peers as possible at once. */
const SHARED_PIECES = 4;

/** Of each of those a peer gets so many blocks in one pick while it can be asked for something else. */
const SHARED_BLOCKS = 2;

/** Asks for what readers need soon, before everything else. A reader never waits for the slowest of its peers. */
export class UrgentPieces {
  readonly deadlines: Deadlines;
  readonly #ledger: PieceLedger;
  readonly #chooser: PieceChooser;

  constructor(ledger: PieceLedger, chooser: PieceChooser) {
    this.deadlines = new Deadlines((piece) => ledger.isHad(piece));
    this.#ledger = ledger;
    this.#chooser = chooser;
  }

  /** Whether a peer is asked for what is urgent. Not one that is silent, chokes us, or sent a whole corrupt piece. */
  takesPart(peer: PickerPeer, options: PickOptions): boolean {
    if (options.silent || options.snubbed || options.choked) return false;
    return !this.#ledger.failed.isDoubtful(peer.sender);
  }

  /** A few blocks of each of the soonest pieces, then whole pieces in order. @returns How many blocks are written then. */
  askFirst(peer: PickerPeer, room: PickRoom, options: PickOptions): number {
    const { pieces, count: listed } = this.deadlines;
    const { out, blocksMax } = room;
    let { count } = room;
    for (let i = 0; i < listed && count < blocksMax; i += 1) {
      const started = this.#chooser.urgent(pieces[i]!, peer, options);
      if (!started) continue;
      // What is to come from one peer alone is not shared.
      const isShared = i < SHARED_PIECES && !started.strict;
      const end = isShared ? Math.min(blocksMax, count + SHARED_BLOCKS) : blocksMax;
      count = this.#chooser.askFor(started, peer, { out, count, blocksMax: end });
      if (isShared) this.#chooser.exhaust(started);
    }
    return count;
  }

  /** There is nothing else to ask of the peer: all of the soonest pieces. @returns How many blocks are written then. */
  askRest(peer: PickerPeer, room: PickRoom, options: PickOptions): number {
    const { pieces, count: listed } = this.deadlines;
    const { out, blocksMax } = room;
    let { count } = room;
    this.#chooser.revisit();
    for (let i = 0; i < Math.min(SHARED_PIECES, listed) && count < blocksMax; i += 1) {
      const started = this.#chooser.urgent(pieces[i]!, peer, options);
      if (started) count = this.#chooser.askFor(started, peer, { out, count, blocksMax });
    }
    return count;
  }

  /**
   * Others may be asked for the block: a cancel was sent to the peer, or it is silent and a reader cannot wait.
   *
   * @param outcome - "answered": it may come all the same, and is taken then. "forgotten": it does not.
   */
  giveBack(peer: PeerKey, piece: number, block: number, outcome: "answered" | "forgotten"): void {
    const started = this.#ledger.started.get(piece);
    if (!started?.isAsked(peer, block) || started.isWriter(peer, block)) return;
    if (outcome === "forgotten") {
      this.#ledger.swarm.get(peer).outstanding -= 1;
      started.withdraw(peer, block);
    } else {
      started.giveUpOn(peer, block);
      this.#ledger.forgetDropped(started);
    }
    this.#ledger.started.update(started);
  }
}
