/** A free lane: nobody uses it. */
const FREE = -1;

/**
 * The blocks we have asked one source for and not got yet, oldest first. Answers almost always come in
 * the order of the requests, so the head is looked at first and the rest is searched from there.
 *
 * Several downloaders may share a window, each in a lane of its own with its own numbers of pieces. A lane may take
 * what is free; while another waits for room it may fill no more than its share.
 */
export class RequestWindow {
  readonly #capacity: number;
  readonly #pieces: Int32Array;
  readonly #blocks: Int32Array;
  readonly #lanes: Int32Array;
  /** 1 where the request was taken back, and its answer has not come. */
  readonly #given: Uint8Array;
  /** Blocks outstanding by lane; `FREE` when nobody uses the lane. */
  readonly #counts: number[] = [];
  /** Of those, the ones that were taken back. */
  readonly #givenCounts: number[] = [];
  readonly #onRoom: (() => void)[] = [];
  /** Lanes that found no room, or less than they had use for. */
  readonly #waiting = new Set<number>();
  #head = 0;
  #count = 0;
  #laneCount = 0;

  /** @param capacity - Blocks that can be outstanding at once. */
  constructor(capacity: number) {
    this.#capacity = capacity;
    this.#pieces = new Int32Array(capacity);
    this.#blocks = new Int32Array(capacity);
    this.#lanes = new Int32Array(capacity);
    this.#given = new Uint8Array(capacity);
  }

  /**
   * A downloader begins to use the window.
   *
   * @param onRoom - Called by `wake` when there is room that the lane waited for.
   * @returns Its lane; the first one gets 0.
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

  /** Its blocks are not waited for any more, and others may have their room. */
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

  /** Blocks outstanding in a lane that we count on: without those that were taken back. */
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

  /** The lane had use for more room than there was. It waits until it adds a block. */
  wait(lane: number): void {
    if (this.#laneCount > 1) this.#waiting.add(lane);
  }

  /** Tells the lanes that wait and have room now. To be called when blocks have come, after all else is done. */
  wake(): void {
    if (this.#waiting.size === 0) return;
    for (const lane of Array.from(this.#waiting)) {
      if (this.room(lane) > 0) this.#onRoom[lane]!();
    }
  }

  /** There must be room. */
  add(piece: number, block: number, lane: number): void {
    const slot = (this.#head + this.#count) % this.#capacity;
    this.#pieces[slot] = piece;
    this.#blocks[slot] = block;
    this.#lanes[slot] = lane;
    this.#given[slot] = 0;
    this.#count += 1;
    this.#counts[lane]! += 1;
    if (this.#waiting.size > 0) this.#waiting.delete(lane);
  }

  has(piece: number, block: number, lane: number): boolean {
    return this.#find(piece, block, lane) >= 0;
  }

  /** The request was taken back, and is not counted on any more; its answer still comes. */
  giveBack(piece: number, block: number, lane: number): void {
    const index = this.#find(piece, block, lane);
    const slot = (this.#head + index) % this.#capacity;
    if (index < 0 || this.#given[slot] === 1) return;
    this.#given[slot] = 1;
    this.#givenCounts[lane]! += 1;
  }

  /** The blocks of a lane that we count on, newest first. The window is not to be changed meanwhile. */
  *newestFirst(lane: number): Generator<{ readonly piece: number; readonly block: number }> {
    for (let i = this.#count - 1; i >= 0; i -= 1) {
      const slot = (this.#head + i) % this.#capacity;
      if (this.#lanes[slot] !== lane || this.#given[slot] === 1) continue;
      yield { piece: this.#pieces[slot]!, block: this.#blocks[slot]! };
    }
  }

  /** @returns True when the block was outstanding; it is not any more. */
  take(piece: number, block: number, lane: number): boolean {
    const index = this.#find(piece, block, lane);
    if (index < 0) return false;
    this.#givenCounts[lane]! -= this.#given[(this.#head + index) % this.#capacity]!;
    // Everything before it moves up by one: nothing at all when it is the head.
    for (let i = index; i > 0; i -= 1) this.#move(i - 1, i);
    this.#head = (this.#head + 1) % this.#capacity;
    this.#count -= 1;
    this.#counts[lane]! -= 1;
    return true;
  }

  /** Nothing of the lane is waited for any more. */
  drain(lane: number): void {
    let kept = 0;
    for (let i = 0; i < this.#count; i += 1) {
      if (this.#lanes[(this.#head + i) % this.#capacity] === lane) continue;
      if (kept !== i) this.#move(i, kept);
      kept += 1;
    }
    this.#count = kept;
    this.#counts[lane] = 0;
    this.#givenCounts[lane] = 0;
  }

  #move(fromIndex: number, toIndex: number): void {
    const from = (this.#head + fromIndex) % this.#capacity;
    const to = (this.#head + toIndex) % this.#capacity;
    this.#pieces[to] = this.#pieces[from]!;
    this.#blocks[to] = this.#blocks[from]!;
    this.#lanes[to] = this.#lanes[from]!;
    this.#given[to] = this.#given[from]!;
  }

  #find(piece: number, block: number, lane: number): number {
    for (let i = 0; i < this.#count; i += 1) {
      const slot = (this.#head + i) % this.#capacity;
      if (
        this.#pieces[slot] === piece &&
        this.#blocks[slot] === block &&
        this.#lanes[slot] === lane
      ) {
        return i;
      }
    }
    return -1;
  }
}
