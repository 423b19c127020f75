/** Bytes that the owner wrote and that are not in a packet yet. The buffers are lent and not copied. */
export class WriteQueue {
  #buffers: Uint8Array[] = [];
  #first = 0;
  /** Bytes of the first buffer that are taken. */
  #offset = 0;
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  push(buffer: Uint8Array): void {
    if (buffer.length === 0) return;
    this.#buffers.push(buffer);
    this.#bytes += buffer.length;
  }

  /** Moves the first `length` bytes, or all that there are, to `out` at `start`. */
  take(out: Uint8Array, start: number, length: number): void {
    let at = start;
    let left = Math.min(length, this.#bytes);
    this.#bytes -= left;
    while (left > 0) {
      const buffer = this.#buffers[this.#first]!;
      const count = Math.min(left, buffer.length - this.#offset);
      out.set(buffer.subarray(this.#offset, this.#offset + count), at);
      at += count;
      left -= count;
      this.#offset += count;
      if (this.#offset === buffer.length) this.#drop();
    }
  }

  clear(): void {
    this.#buffers = [];
    this.#first = 0;
    this.#offset = 0;
    this.#bytes = 0;
  }

  #drop(): void {
    this.#offset = 0;
    this.#first += 1;
    // Moving the rest for each buffer would make a long queue slow.
    if (this.#first < 64 && this.#first < this.#buffers.length) return;
    this.#buffers = this.#buffers.slice(this.#first);
    this.#first = 0;
  }
}
