/** A torrent is below its share when the fullest torrent has more than this many times its connections, plus one. */
const APART = 1.25;
/** Interval between two connections that are taken back. */
const TAKE_MS = 1_000;
/** The wait doubles, up to this, each time a torrent gained no peer from the last connection that it was given. */
const WAIT_MS_MAX = 600_000;
/** A connection that was taken back is kept this long for torrents below their share. */
const KEPT_MS = 1_000;

/** What the shares need to know of a torrent. */
export interface ConnectionSharer {
  /** Connections it has, including those being opened. */
  readonly count: number;
  /** Connections whose handshake is over. */
  readonly openCount: number;
  /** There is an address to dial now. */
  wantsToDial(now: number): boolean;
}

/** `from` has to close a connection for `to`; `to` is `undefined` when the new peer has connected already. */
export interface TakeBack<T> {
  readonly from: T;
  readonly to: T | undefined;
}

interface Wait {
  /** Open connections it had when a connection was last taken back for it. */
  openCount: number;
  waitMs: number;
  untilMs: number;
}

/**
 * Decides which torrent gives up a connection when all connections are in use and another torrent is below its share. At
 * most one connection a second is taken. Taking stops before the shares are equal, so that no connection goes back and forth.
 */
export class ConnectionShares<T extends ConnectionSharer> {
  readonly #waits = new WeakMap<T, Wait>();
  #nextMs = 0;
  #keptUntilMs = 0;

  /** Whether a connection may be taken from `other` for `sharer`. */
  isBelow(sharer: T, other: T): boolean {
    return other.count > sharer.count * APART + 1;
  }

  /**
   * Says which torrents may use a free connection.
   *
   * @param isSpare - Only the connections that are kept for torrents below their share are left.
   */
  mayFill(all: Iterable<T>, isSpare: boolean, now: number): (sharer: T) => boolean {
    if (!isSpare && now >= this.#keptUntilMs) return () => true;
    const fullest = fullestOf(all);
    return (sharer) => fullest !== undefined && this.isBelow(sharer, fullest);
  }

  /**
   * Called while all connections are in use.
   *
   * @param isOver - A peer has taken one of the connections that are kept free.
   * @returns The connection to take; call `handleTaken` once it is closed.
   */
  next(all: readonly T[], isOver: boolean, now: number): TakeBack<T> | undefined {
    const from = now < this.#nextMs ? undefined : fullestOf(all);
    if (!from) return undefined;
    this.#nextMs = now + TAKE_MS;
    const below = all.filter((sharer) => this.isBelow(sharer, from));
    if (isOver && below.length > 0) return { from, to: undefined };
    let to: T | undefined;
    for (const sharer of below) {
      if (to && sharer.count >= to.count) continue;
      if (sharer.wantsToDial(now) && !this.#isWaiting(sharer, now)) to = sharer;
    }
    return to && { from, to };
  }

  handleTaken({ to }: TakeBack<T>, now: number): void {
    this.#keptUntilMs = now + KEPT_MS;
    if (!to) return;
    const { openCount } = to;
    const last = this.#waits.get(to);
    const gained = !last || openCount > last.openCount;
    const waitMs = gained ? TAKE_MS : Math.min(WAIT_MS_MAX, last.waitMs * 2);
    this.#waits.set(to, { openCount, waitMs, untilMs: now + waitMs });
  }

  #isWaiting(sharer: T, now: number): boolean {
    const wait = this.#waits.get(sharer);
    return wait !== undefined && now < wait.untilMs && sharer.openCount <= wait.openCount;
  }
}

function fullestOf<T extends ConnectionSharer>(all: Iterable<T>): T | undefined {
  let fullest: T | undefined;
  for (const sharer of all) if (!fullest || sharer.count > fullest.count) fullest = sharer;
  return fullest;
}
