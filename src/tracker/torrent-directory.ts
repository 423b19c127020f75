import { type Infohashes, infohashKey, wireInfohashes } from "../base/infohash.ts";
import { InfohashIndex } from "./infohash-index.ts";

const NONE = -1;

export interface TorrentDirectoryOptions {
  /** 32 secret bits. */
  readonly key: number;
  /** The torrents registered at the start, in order of registration. */
  readonly torrents: Iterable<Infohashes>;
  /** Infohashes, 20 bytes each, of the torrents being fetched at the start. */
  readonly fetched: Iterable<Uint8Array>;
}

/**
 * The torrents tracked here, in memory: loaded once at the start and updated by changes from then
 * on, so that no announce waits for a database. A torrent takes 33 bytes; a hybrid, with its two
 * infohashes, takes 66.
 */
export class TorrentDirectory {
  readonly #index: InfohashIndex;
  /**
   * By number of an infohash: the first infohash of a torrent holds the number of its second, the
   * second the complement (`~`) of the first's number, and an only one its own.
   */
  #partners = new Int32Array(0);
  /** Infohashes in hexadecimal. The hub limits how many torrents one person fetches at a time. */
  readonly #fetched = new Set<string>();

  constructor({ key, torrents, fetched }: TorrentDirectoryOptions) {
    this.#index = new InfohashIndex(key);
    for (const torrent of torrents) this.register(torrent);
    for (const infohash of fetched) this.setFetched(infohash, true);
  }

  /** Adds a torrent. An infohash that already leads to another torrent keeps leading there. */
  register(infohashes: Infohashes): void {
    const numbers = wireInfohashes(infohashes)
      .filter((wire) => this.#index.find(wire) === NONE)
      .map((wire) => this.#index.add(wire));
    const [first, second] = numbers;
    if (first === undefined) return;
    this.#grow();
    this.#partners[first] = second ?? first;
    if (second !== undefined) this.#partners[second] = ~first;
  }

  /** Removes a torrent. Does nothing when it is absent. */
  unregister(infohashes: Infohashes): void {
    for (const wire of wireInfohashes(infohashes)) {
      const number = this.#index.find(wire);
      if (number === NONE) continue;
      const partner = this.#partners[number]!;
      const other = partner < 0 ? ~partner : partner;
      this.#partners[other] = other;
      this.#index.delete(number);
    }
  }

  /**
   * @param infohash - 20 bytes. @param isFetched - True when the hub is fetching it from now on.
   */
  setFetched(infohash: Uint8Array, isFetched: boolean): void {
    if (isFetched) this.#fetched.add(infohashKey(infohash));
    else this.#fetched.delete(infohashKey(infohash));
  }

  /**
   * @returns All infohashes of the torrent with this one, 20 bytes each, v1 first; `undefined` when
   * there is none.
   */
  find(infohash: Uint8Array): readonly Uint8Array[] | undefined {
    const number = this.#index.find(infohash);
    return number === NONE ? undefined : this.#infohashesAt(number);
  }

  /**
   * @returns True when the hub is fetching the torrent and must therefore find its peers. @param
   * infohash - 20 bytes.
   */
  isFetched(infohash: Uint8Array): boolean {
    return this.#fetched.size > 0 && this.#fetched.has(infohashKey(infohash));
  }

  /** @returns Up to `countMax` torrents, as a rule the ones registered last. */
  some(countMax: number): readonly (readonly Uint8Array[])[] {
    const found: (readonly Uint8Array[])[] = [];
    // Numbers go up; only a torrent that reused the number of a removed one stands among older
    // torrents.
    for (let number = this.#index.end - 1; number >= 0 && found.length < countMax; number -= 1) {
      // Name each torrent once, at its first infohash.
      if (!this.#index.isTaken(number) || this.#partners[number]! < 0) continue;
      found.push(this.#infohashesAt(number));
    }
    return found;
  }

  #infohashesAt(number: number): readonly Uint8Array[] {
    const partner = this.#partners[number]!;
    if (partner === number) return [this.#index.infohash(number)];
    const [first, second] = partner < 0 ? [~partner, number] : [number, partner];
    return [this.#index.infohash(first), this.#index.infohash(second)];
  }

  #grow(): void {
    if (this.#partners.length >= this.#index.capacity) return;
    const partners = new Int32Array(this.#index.capacity);
    partners.set(this.#partners);
    this.#partners = partners;
  }
}
