/** Slots that an empty queue keeps: most bursts make no more outputs, and need no new memory for them. */
const KEPT_MAX = 64;

/**
 * The outputs of a machine for its owner, in order, until the owner takes them. A machine never calls its owner: the
 * owner drains the queue when the burst is over. It is for events that happen at most once per piece: the path of a
 * block uses no queue.
 */
export class OutputQueue<T extends object> {
  readonly #outputs: (T | undefined)[] = [];
  #head = 0;
  #end = 0;

  push(output: T): void {
    this.#outputs[this.#end] = output;
    this.#end += 1;
  }

  /** Takes the next output; `undefined` when there is none. */
  next(): T | undefined {
    if (this.#head === this.#end) return undefined;
    const output = this.#outputs[this.#head];
    this.#outputs[this.#head] = undefined;
    this.#head += 1;
    if (this.#head < this.#end) return output;
    this.#head = 0;
    this.#end = 0;
    if (this.#outputs.length > KEPT_MAX) this.#outputs.length = 0;
    return output;
  }
}
