import type { Bitfield } from "../../base/bitfield.ts";

/** Pieces that a peer may have been shown, and that nobody else has shown since: a second one while the first arrives. */
const OPEN_MAX = 2;
/**
 * A peer that has a piece and does not pass it on gets another after this long, and each time it takes twice as long:
 * somebody whose neighbours are slow goes on, and somebody who takes without giving gets little (WIR-24).
 */
const PATIENCE_MS = 15_000;
const PATIENCE_MS_MAX = 120_000;
/** Pieces that each peer is shown in one step when it is over, half a second long. */
const SHOWN_AT_ONCE = 2_000;

/** A peer, as far as super-seeding is concerned. */
export interface SuperSeedPeer {
  /** `undefined` until the piece count is known. */
  readonly pieces: Bitfield | undefined;
  /** Tells it that we have a piece. */
  showPiece(piece: number): void;
}

interface Shown {
  readonly piece: number;
  /** Of its blocks. Most programs do not tell us that they have a piece when they know that we have it. */
  requestedBytes: number;
  /** When the peer had it, or had requested all of it; `undefined` until then. */
  hadAtMs: number | undefined;
}

interface Record {
  /** All that it was shown: it may request these. */
  readonly shown: Set<number>;
  /** Shown, and not seen at anybody else. */
  readonly open: Shown[];
  patienceMs: number;
  /** The first piece that it was not shown yet, when it is over. */
  restFrom: number;
}

/**
 * Super-seeding (BEP 16): an only seed says that it has nothing, shows each peer one rare piece, and the next when another
 * peer has that piece. So nearly everything that it sends is new to the swarm. It is over for good when somebody else has
 * everything; from then on it is a seed like others.
 */
export class SuperSeeding<P extends SuperSeedPeer> {
  readonly #pieceCount: number;
  readonly #pieceSize: (piece: number) => number;
  readonly #below: (end: number) => number;
  readonly #records = new Map<P, Record>();
  /** For each piece, the peers that have it, and those that were shown it and do not have it yet. */
  readonly #copies: Uint16Array;
  #isOver = false;

  /** @param options.below - A random number below another. */
  constructor(options: {
    readonly pieceCount: number;
    readonly pieceSize: (piece: number) => number;
    readonly below: (end: number) => number;
  }) {
    this.#pieceSize = options.pieceSize;
    this.#pieceCount = options.pieceCount;
    this.#below = options.below;
    this.#copies = new Uint16Array(options.pieceCount);
  }

  /** From now on peers are told the truth; those that are there hear it bit by bit. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** The peer has been told that we have nothing. Not called when it is over. */
  join(peer: P): void {
    this.#records.set(peer, {
      shown: new Set(),
      open: [],
      patienceMs: PATIENCE_MS,
      restFrom: 0,
    });
    this.#count(peer, 1);
    this.#show(peer);
  }

  leave(peer: P): void {
    const record = this.#records.get(peer);
    if (!record) return;
    this.#records.delete(peer);
    this.#count(peer, -1);
    for (const { piece } of record.open) {
      if (peer.pieces?.has(piece) !== true) this.#add(piece, -1);
    }
  }

  /** Several pieces at once have become known of the peer, which had none before. */
  handlePossession(peer: P): void {
    if (!this.#records.has(peer)) return;
    this.#count(peer, 1);
    for (const piece of peer.pieces?.indexes() ?? []) this.#handleSeen(peer, piece);
    this.#endIfWhole(peer);
    this.#show(peer);
  }

  handleHave(peer: P, piece: number, now: number): void {
    const record = this.#records.get(peer);
    if (!record) return;
    const own = record.open.find((shown) => shown.piece === piece);
    // One that was shown it counts as a copy already.
    if (own) own.hadAtMs ??= now;
    else this.#add(piece, 1);
    this.#handleSeen(peer, piece);
    this.#endIfWhole(peer);
    if (own) this.#show(peer);
  }

  /**
   * The peer requests a block.
   *
   * @returns Whether it gets it: only of what it was shown, whatever it knows from another connection.
   */
  handleRequest(
    peer: P,
    { piece, length }: { piece: number; length: number },
    now: number,
  ): boolean {
    const record = this.#records.get(peer);
    if (!record) return true;
    const open = record.open.find((shown) => shown.piece === piece);
    if (open) {
      open.requestedBytes += length;
      if (open.hadAtMs === undefined && open.requestedBytes >= this.#pieceSize(piece)) {
        open.hadAtMs = now;
        this.#show(peer);
      }
    }
    return record.shown.has(piece);
  }

  /** Twice a second. */
  tick(now: number): void {
    for (const [peer, record] of this.#records) {
      if (this.#isOver) {
        this.#showRest(peer, record);
        continue;
      }
      const { open } = record;
      const late = open.findIndex(
        ({ hadAtMs }) => hadAtMs !== undefined && now - hadAtMs >= record.patienceMs,
      );
      if (late < 0) continue;
      open.splice(late, 1);
      record.patienceMs = Math.min(record.patienceMs * 2, PATIENCE_MS_MAX);
      this.#show(peer);
    }
  }

  /** Everything is told to everybody from now on: another seed is here, or we lack a piece ourselves. */
  end(): void {
    this.#isOver = true;
  }

  /** The piece is out: those that were shown it, and have it, get their next. */
  #handleSeen(at: P, piece: number): void {
    for (const [peer, record] of this.#records) {
      if (peer === at) continue;
      const index = record.open.findIndex((shown) => shown.piece === piece);
      if (index < 0) continue;
      record.open.splice(index, 1);
      record.patienceMs = PATIENCE_MS;
      this.#show(peer);
    }
  }

  #show(peer: P): void {
    const record = this.#records.get(peer);
    if (!record || this.#isOver) return;
    if (this.#isAlone(peer)) {
      // Nobody is there to pass anything on to.
      for (let i = record.open.length - 1; i >= 0; i -= 1) {
        if (record.open[i]!.hadAtMs !== undefined) record.open.splice(i, 1);
      }
    }
    while (record.open.length < OPEN_MAX) {
      const piece = this.#rarestFor(peer, record);
      if (piece === undefined) return;
      record.shown.add(piece);
      record.open.push({ piece, requestedBytes: 0, hadAtMs: undefined });
      this.#add(piece, 1);
      peer.showPiece(piece);
    }
  }

  #isAlone(peer: P): boolean {
    for (const other of this.#records.keys()) if (other !== peer) return false;
    return true;
  }

  /** From a random piece on, so that equals are chosen by chance. */
  #rarestFor(peer: P, { shown }: Record): number | undefined {
    const { pieces } = peer;
    const start = this.#below(this.#pieceCount);
    let best: number | undefined;
    let least = Number.POSITIVE_INFINITY;
    for (let i = 0; i < this.#pieceCount; i += 1) {
      const piece = start + i < this.#pieceCount ? start + i : start + i - this.#pieceCount;
      const copies = this.#copies[piece]!;
      if (copies >= least || shown.has(piece) || pieces?.has(piece) === true) continue;
      best = piece;
      least = copies;
      if (least === 0) break;
    }
    return best;
  }

  #showRest(peer: P, record: Record): void {
    let left = SHOWN_AT_ONCE;
    for (; record.restFrom < this.#pieceCount && left > 0; record.restFrom += 1) {
      const piece = record.restFrom;
      if (record.shown.has(piece) || peer.pieces?.has(piece) === true) continue;
      record.shown.add(piece);
      peer.showPiece(piece);
      left -= 1;
    }
    if (record.restFrom === this.#pieceCount) this.#records.delete(peer);
  }

  #endIfWhole({ pieces }: P): void {
    if (pieces && pieces.count === this.#pieceCount) this.#isOver = true;
  }

  #count({ pieces }: P, change: 1 | -1): void {
    for (const piece of pieces?.indexes() ?? []) this.#add(piece, change);
  }

  /** A peer may lose pieces unnoticed: the counts only guide the choice. */
  #add(piece: number, change: 1 | -1): void {
    const copies = this.#copies[piece]! + change;
    if (copies >= 0) this.#copies[piece] = copies;
  }
}
