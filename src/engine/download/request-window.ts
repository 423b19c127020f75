/**
 * The blocks we have asked one peer for and not got yet, oldest first. Answers almost always come in
 * the order of the requests, so the head is looked at first and the rest is searched from there.
 */
export class RequestWindow {
  readonly #capacity: number;
  readonly #pieces: Int32Array;
  readonly #blocks: Int32Array;
  #head = 0;
  #count = 0;

  /** @param capacity - Blocks that can be outstanding at once. */
  constructor(capacity: number) {
    this.#capacity = capacity;
    this.#pieces = new Int32Array(capacity);
    this.#blocks = new Int32Array(capacity);
  }

  get count(): number {
    return this.#count;
  }

  get room(): number {
    return this.#capacity - this.#count;
  }

  /** There must be room. */
  add(piece: number, block: number): void {
    const slot = (this.#head + this.#count) % this.#capacity;
    this.#pieces[slot] = piece;
    this.#blocks[slot] = block;
    this.#count += 1;
  }

  has(piece: number, block: number): boolean {
    return this.#find(piece, block) >= 0;
  }

  /** @returns True when the block was outstanding; it is not any more. */
  take(piece: number, block: number): boolean {
    const index = this.#find(piece, block);
    if (index < 0) return false;
    // Everything before it moves up by one: nothing at all when it is the head.
    for (let i = index; i > 0; i -= 1) {
      const to = (this.#head + i) % this.#capacity;
      const from = (this.#head + i - 1) % this.#capacity;
      this.#pieces[to] = this.#pieces[from]!;
      this.#blocks[to] = this.#blocks[from]!;
    }
    this.#head = (this.#head + 1) % this.#capacity;
    this.#count -= 1;
    return true;
  }

  /** Empties the window, telling each block that was in it. */
  drain(visit: (piece: number, block: number) => void): void {
    const count = this.#count;
    const head = this.#head;
    this.#count = 0;
    for (let i = 0; i < count; i += 1) {
      const slot = (head + i) % this.#capacity;
      visit(this.#pieces[slot]!, this.#blocks[slot]!);
    }
  }

  #find(piece: number, block: number): number {
    for (let i = 0; i < this.#count; i += 1) {
      const slot = (this.#head + i) % this.#capacity;
      if (this.#pieces[slot] === piece && this.#blocks[slot] === block) return i;
    }
    return -1;
  }
}
