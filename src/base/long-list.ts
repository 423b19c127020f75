/**
 * A list that makes its items while it is read, so that a torrent's 200,000 files or million hashes are never all in
 * memory. It can be read again; each reading makes the items anew.
 */
export class LongList<Item> implements Iterable<Item> {
  readonly length: number;
  readonly #read: () => Iterator<Item>;

  constructor(length: number, read: () => Iterator<Item>) {
    this.length = length;
    this.#read = read;
  }

  [Symbol.iterator](): Iterator<Item> {
    return this.#read();
  }

  /** `JSON.stringify` calls this: all items at once. */
  toJSON(): Item[] {
    return [...this];
  }
}

/** The same for an object with many keys. */
export class LongRecord<Value> implements Iterable<readonly [key: string, value: Value]> {
  readonly #read: () => Iterator<readonly [string, Value]>;

  constructor(read: () => Iterator<readonly [string, Value]>) {
    this.#read = read;
  }

  [Symbol.iterator](): Iterator<readonly [string, Value]> {
    return this.#read();
  }

  toJSON(): Record<string, Value> {
    return Object.fromEntries(this);
  }
}
