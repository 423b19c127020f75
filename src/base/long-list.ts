/**
 * A list whose items are made while it is read: of a torrent's 200,000 files or million hashes nobody holds
 * all at once. It can be read again; each time the items are made anew.
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

  /** What `JSON.stringify` asks for: all of it. */
  toJSON(): Item[] {
    return [...this];
  }
}

/** The same of an object with many keys. */
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
