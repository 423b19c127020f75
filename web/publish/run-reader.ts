/** Bytes read at once; small pieces share a read. */
const runBytes = 8 * 1024 * 1024;

/** Reads a blob from beginning to end, one run ahead of the caller. */
export class RunReader {
  readonly #blob: Blob;
  #run = new Uint8Array(0);
  #at = 0;
  #from = 0;
  #next: Promise<ArrayBuffer>;

  constructor(blob: Blob) {
    this.#blob = blob;
    this.#next = this.#read();
  }

  /** @returns The next bytes, valid until the next call. @throws (rejects) When a file changed or vanished. */
  async take(length: number): Promise<Uint8Array<ArrayBuffer>> {
    if (this.#at === this.#run.length) await this.#turn();
    if (this.#run.length - this.#at >= length) {
      this.#at += length;
      return this.#run.subarray(this.#at - length, this.#at);
    }
    const bytes = new Uint8Array(length);
    let filled = 0;
    while (filled < length) {
      if (this.#at === this.#run.length) await this.#turn();
      const part = this.#run.subarray(this.#at, this.#at + length - filled);
      if (part.length === 0) throw new Error("the files are shorter than they were");
      bytes.set(part, filled);
      filled += part.length;
      this.#at += part.length;
    }
    return bytes;
  }

  async #turn(): Promise<void> {
    this.#run = new Uint8Array(await this.#next);
    this.#at = 0;
    this.#next = this.#read();
  }

  #read(): Promise<ArrayBuffer> {
    const from = this.#from;
    this.#from += runBytes;
    const reading = this.#blob.slice(from, from + runBytes).arrayBuffer();
    // The next call reports a failure; this only prevents an unhandled rejection until then.
    reading.catch(() => undefined);
    return reading;
  }
}
