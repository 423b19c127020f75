/**
 * What a machine has to say to the one that owns it, in order, until that takes it. A machine never calls its owner:
 * the owner drains the queue when the burst is over. For what happens once a piece or less: the path of a block puts
 * nothing in here.
 */
export class OutputQueue<T extends object> {
  readonly #outputs: (T | undefined)[] = [];
  #head = 0;

  push(output: T): void {
    this.#outputs.push(output);
  }

  /** Takes the next output; `undefined` when there is none. */
  next(): T | undefined {
    if (this.#head === this.#outputs.length) return undefined;
    const output = this.#outputs[this.#head];
    this.#outputs[this.#head] = undefined;
    this.#head += 1;
    if (this.#head === this.#outputs.length) {
      this.#outputs.length = 0;
      this.#head = 0;
    }
    return output;
  }
}
