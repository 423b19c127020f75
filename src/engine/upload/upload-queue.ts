/** One block a peer asked for. */
export interface BlockRequest {
  readonly piece: number;
  readonly begin: number;
  readonly length: number;
}

const FIELDS = 3; // piece, begin, length

/**
 * The requests of one peer that we have not answered yet, first come first served, in typed arrays: a fast leecher
 * sends 60,000 requests a second. Holds at most `capacity` requests (WIR-6).
 */
export class UploadQueue {
  readonly #ring: Int32Array;
  readonly #capacity: number;
  #head = 0;
  #count = 0;

  /** @param capacity - Requests; what we advertise as `reqq`. */
  constructor(capacity: number) {
    this.#capacity = capacity;
    this.#ring = new Int32Array(capacity * FIELDS);
  }

  get count(): number {
    return this.#count;
  }

  /** @returns False when the queue is full; the request is not kept. */
  push(piece: number, begin: number, length: number): boolean {
    if (this.#count === this.#capacity) return false;
    const slot = ((this.#head + this.#count) % this.#capacity) * FIELDS;
    this.#ring[slot] = piece;
    this.#ring[slot + 1] = begin;
    this.#ring[slot + 2] = length;
    this.#count += 1;
    return true;
  }

  /** The next request, left in the queue. */
  peek(): BlockRequest | undefined {
    return this.#count === 0 ? undefined : this.#at(0);
  }

  /** The next request, removed. */
  shift(): BlockRequest | undefined {
    if (this.#count === 0) return undefined;
    const request = this.#at(0);
    this.#head = (this.#head + 1) % this.#capacity;
    this.#count -= 1;
    return request;
  }

  /** Removes a request. @returns False when it was not queued. */
  remove(piece: number, begin: number, length: number): boolean {
    for (let index = 0; index < this.#count; index += 1) {
      const request = this.#at(index);
      if (request.piece !== piece || request.begin !== begin || request.length !== length) continue;
      this.#removeAt(index);
      return true;
    }
    return false;
  }

  /** Removes every request for which `drop` returns true, in order. */
  removeWhere(drop: (request: BlockRequest) => boolean): void {
    const before = this.#count;
    let kept = 0;
    for (let index = 0; index < before; index += 1) {
      const request = this.#at(index);
      if (drop(request)) continue;
      this.#set(kept, request);
      kept += 1;
    }
    this.#count = kept;
  }

  #at(index: number): BlockRequest {
    const slot = ((this.#head + index) % this.#capacity) * FIELDS;
    return {
      piece: this.#ring[slot]!,
      begin: this.#ring[slot + 1]!,
      length: this.#ring[slot + 2]!,
    };
  }

  #set(index: number, request: BlockRequest): void {
    const slot = ((this.#head + index) % this.#capacity) * FIELDS;
    this.#ring[slot] = request.piece;
    this.#ring[slot + 1] = request.begin;
    this.#ring[slot + 2] = request.length;
  }

  #removeAt(index: number): void {
    for (let i = index; i + 1 < this.#count; i += 1) this.#set(i, this.#at(i + 1));
    this.#count -= 1;
  }
}
