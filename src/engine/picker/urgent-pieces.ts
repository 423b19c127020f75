import { Deadlines } from "./deadlines.ts";
import type { PickRoom } from "./pick-room.ts";
import type { PeerKey } from "./peer-key.ts";
import type { PickOptions, PieceChooser } from "./piece-chooser.ts";
import type { PieceLedger } from "./piece-ledger.ts";
import type { PickerPeer } from "./swarm-pieces.ts";

/** This many of the soonest pieces are fetched from as many peers as possible at once. */
const SHARED_PIECES = 4;

/**
 * Blocks of each of those that a peer gets in one pick while it can be asked for something else; more when it sends
 * more in a moment.
 */
const SHARED_BLOCKS = 2;

/** Requests the pieces that readers need soon, before everything else. A reader never waits for its slowest peer. */
export class UrgentPieces {
  readonly deadlines: Deadlines;
  readonly #ledger: PieceLedger;
  readonly #chooser: PieceChooser;

  constructor(ledger: PieceLedger, chooser: PieceChooser) {
    this.deadlines = new Deadlines((piece) => ledger.isHad(piece));
    this.#ledger = ledger;
    this.#chooser = chooser;
  }

  /**
   * Whether a peer is asked for urgent pieces. A silent or choking peer, or one that sent a whole corrupt piece, is
   * not.
   */
  takesPart(peer: PickerPeer, options: PickOptions): boolean {
    if (options.silent || options.snubbed || options.choked) return false;
    return !this.#ledger.failed.isDoubtful(peer.sender);
  }

  /**
   * Asks for a few blocks of each of the soonest pieces, then for whole pieces in order. @returns Blocks written in
   * total.
   */
  askFirst(peer: PickerPeer, room: PickRoom, options: PickOptions): number {
    const { pieces, count: listed } = this.deadlines;
    const { out, blocksMax } = room;
    let { count } = room;
    const shared = Math.max(SHARED_BLOCKS, options.soonBlocks);
    for (let i = 0; i < listed && count < blocksMax; i += 1) {
      const started = this.#chooser.urgent(pieces[i]!, peer, options);
      if (!started) continue;
      // A piece that must come from one peer alone is not shared, and a server gets no requests for scattered blocks.
      const isShared = i < SHARED_PIECES && !started.strict && !peer.isServer;
      const end = isShared ? Math.min(blocksMax, count + shared) : blocksMax;
      count = this.#chooser.askFor(started, peer, { out, count, blocksMax: end });
      if (isShared) this.#chooser.exhaust(started);
    }
    return count;
  }

  /** Nothing else can be asked of the peer: asks for all of the soonest pieces. @returns Blocks written in total. */
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
   * Other peers may be asked for the block: a cancel was sent to this peer, or it is silent and a reader cannot wait.
   *
   * @param outcome - "answered": the block may still come, and is accepted then. "forgotten": it will not come.
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
