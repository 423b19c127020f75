/** A free lane, which no downloader uses. */
const FREE = -1;

/** A block in the ring is four numbers, one beside the other: its piece, its number there, its lane, ... */
const ENTRY = 4;
const BLOCK = 1;
const LANE = 2;
/** ... and 1 when the request was taken back, and its answer has not come. */
const GIVEN = 3;

/**
 * The blocks that we requested from one source and have not received yet, oldest first. Answers almost always come in
 * the order of the requests, so the search starts at the head.
 *
 * Several downloaders may share a window, each in its own lane with its own piece numbers. A lane may take whatever is
 * free; while another waits for room it may fill no more than its share.
 */
export class RequestWindow {
  readonly #capacity: number;
  /** A ring whose number of entries is a power of two: it needs a mask several times a block, not a division. */
  readonly #ring: Int32Array;
  readonly #mask: number;
  /** Outstanding blocks by lane; `FREE` when no downloader uses the lane. */
  readonly #counts: number[] = [];
  /** How many of those were taken back. */
  readonly #givenCounts: number[] = [];
  readonly #onRoom: (() => void)[] = [];
  /** Lanes that found no room, or less than they could use. */
  readonly #waiting = new Set<number>();
  #head = 0;
  #count = 0;
  #laneCount = 0;

  /** @param capacity - Blocks that can be outstanding at once. */
  constructor(capacity: number) {
    this.#capacity = capacity;
    let entries = 1;
    while (entries < capacity) entries *= 2;
    this.#ring = new Int32Array(entries * ENTRY);
    this.#mask = this.#ring.length - 1;
  }

  /**
   * A downloader begins to use the window.
   *
   * @param onRoom - Called by `wake` when there is room that the lane waited for.
   * @returns Its lane; the first downloader gets 0.
   */
  join(onRoom: () => void): number {
    const free = this.#counts.indexOf(FREE);
    const lane = free < 0 ? this.#counts.length : free;
    this.#counts[lane] = 0;
    this.#givenCounts[lane] = 0;
    this.#onRoom[lane] = onRoom;
    this.#laneCount += 1;
    return lane;
  }

  /** Its blocks are not expected any more, and others may have their room. */
  leave(lane: number): void {
    this.drain(lane);
    this.#waiting.delete(lane);
    this.#counts[lane] = FREE;
    this.#laneCount -= 1;
  }

  /** Blocks outstanding in a lane. */
  count(lane: number): number {
    return this.#counts[lane]!;
  }

  /** Outstanding blocks in a lane that we count on: without those that were taken back. */
  owed(lane: number): number {
    return this.#counts[lane]! - this.#givenCounts[lane]!;
  }

  /** Blocks that the lane may add. */
  room(lane: number): number {
    const free = this.#capacity - this.#count;
    if (this.#waiting.size === 0) return free;
    if (this.#waiting.size === 1 && this.#waiting.has(lane)) return free;
    const share = Math.floor(this.#capacity / this.#laneCount);
    return Math.max(0, Math.min(free, share - this.#counts[lane]!));
  }

  /** The lane could have used more room than there was. It waits until it adds a block. */
  wait(lane: number): void {
    if (this.#laneCount > 1) this.#waiting.add(lane);
  }

  /** Notifies waiting lanes that now have room. Call it when blocks have arrived, after everything else. */
  wake(): void {
    if (this.#waiting.size === 0) return;
    for (const lane of Array.from(this.#waiting)) {
      if (this.room(lane) > 0) this.#onRoom[lane]!();
    }
  }

  /** Requires that there is room. */
  add(piece: number, block: number, lane: number): void {
    const at = this.#at(this.#count);
    this.#ring[at] = piece;
    this.#ring[at + BLOCK] = block;
    this.#ring[at + LANE] = lane;
    this.#ring[at + GIVEN] = 0;
    this.#count += 1;
    this.#counts[lane]! += 1;
    if (this.#waiting.size > 0) this.#waiting.delete(lane);
  }

  has(piece: number, block: number, lane: number): boolean {
    return this.#find(piece, block, lane) >= 0;
  }

  /** The request was taken back, and we do not count on it; its answer still comes. */
  giveBack(piece: number, block: number, lane: number): void {
    const index = this.#find(piece, block, lane);
    if (index < 0) return;
    const given = this.#at(index) + GIVEN;
    if (this.#ring[given] === 1) return;
    this.#ring[given] = 1;
    this.#givenCounts[lane]! += 1;
  }

  /** The blocks of a lane that we count on, newest first. Do not change the window meanwhile. */
  *newestFirst(lane: number): Generator<{ readonly piece: number; readonly block: number }> {
    for (let i = this.#count - 1; i >= 0; i -= 1) {
      const at = this.#at(i);
      if (this.#ring[at + LANE] !== lane || this.#ring[at + GIVEN] === 1) continue;
      yield { piece: this.#ring[at]!, block: this.#ring[at + BLOCK]! };
    }
  }

  /** Removes a block. @returns False when it was not outstanding. */
  take(piece: number, block: number, lane: number): boolean {
    const index = this.#find(piece, block, lane);
    if (index < 0) return false;
    this.#givenCounts[lane]! -= this.#ring[this.#at(index) + GIVEN]!;
    // All blocks before it move by one: none when it is the head.
    for (let i = index; i > 0; i -= 1) this.#move(i - 1, i);
    this.#head = this.#at(1);
    this.#count -= 1;
    this.#counts[lane]! -= 1;
    return true;
  }

  /** No block of the lane is expected any more. */
  drain(lane: number): void {
    let kept = 0;
    for (let i = 0; i < this.#count; i += 1) {
      if (this.#ring[this.#at(i) + LANE] === lane) continue;
      if (kept !== i) this.#move(i, kept);
      kept += 1;
    }
    this.#count = kept;
    this.#counts[lane] = 0;
    this.#givenCounts[lane] = 0;
  }

  /** Where the entry lies in the ring, counted from the head. */
  #at(index: number): number {
    return (this.#head + index * ENTRY) & this.#mask;
  }

  #move(fromIndex: number, toIndex: number): void {
    const from = this.#at(fromIndex);
    const to = this.#at(toIndex);
    for (let i = 0; i < ENTRY; i += 1) this.#ring[to + i] = this.#ring[from + i]!;
  }

  #find(piece: number, block: number, lane: number): number {
    for (let i = 0; i < this.#count; i += 1) {
      const at = this.#at(i);
      const isIt = this.#ring[at] === piece && this.#ring[at + BLOCK] === block;
      if (isIt && this.#ring[at + LANE] === lane) return i;
    }
    return -1;
  }
}
