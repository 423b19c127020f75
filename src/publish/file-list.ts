import { naturalKey } from "../base/natural-order.ts";
import { sortInSteps, type Work } from "../base/work.ts";
import type { Metainfo } from "../metainfo/metainfo.ts";

/** A real file of a torrent; padding is left out and does not count. */
export interface ListedFile {
  readonly index: number;
  /** Below the torrent's folder; the name itself when the torrent is one file. */
  readonly path: string;
  readonly size: number;
}

/** Files whose names share one text, and which are searched in one step. */
const FILES_PER_STEP = 256;
/** Words of one query that count; each is one more check of every file that matches the words before. */
const WORDS_MAX = 10;

/** The real files of a torrent by number, without an object for each. */
export class FileList {
  readonly #metainfo: Metainfo;
  /** Index into the torrent's files. */
  readonly #real: Uint32Array;

  constructor(metainfo: Metainfo) {
    this.#metainfo = metainfo;
    const { files } = metainfo.info;
    const real = new Uint32Array(files.length);
    let count = 0;
    for (let index = 0; index < files.length; index += 1) {
      const { pad, linkTarget } = files[index]!;
      if (!pad && !linkTarget) real[count++] = index;
    }
    this.#real = real.subarray(0, count);
  }

  get count(): number {
    return this.#real.length;
  }

  /** The file as in the torrent; `undefined` for a number past the last file. */
  torrentFile(index: number): Metainfo["info"]["files"][number] | undefined {
    const at = this.#real[index];
    return at === undefined ? undefined : this.#metainfo.info.files[at];
  }

  /** @param index - Below `count`. */
  at(index: number): ListedFile {
    const { path, length } = this.torrentFile(index)!;
    // The folder's own name is shown above the list.
    const below = this.#metainfo.info.folder ? path.slice(1) : path;
    return { index, path: below.join("/"), size: length };
  }

  /** A range of files in the torrent's order. */
  slice(offset: number, countMax: number): ListedFile[] {
    const count = Math.max(0, Math.min(countMax, this.count - offset));
    return Array.from({ length: count }, (_, at) => this.at(offset + at));
  }
}

/**
 * The files of a torrent for browsing and search: in natural order, a folder's files before its subfolders. Names are
 * kept in a few long texts, which makes a search of 100,000 names fast.
 */
export class FileIndex {
  readonly list: FileList;
  /** Numbers of the files in natural order. */
  readonly #order: Uint32Array;
  /** Lower case, a line for each of `FILES_PER_STEP` files in natural order. */
  readonly #texts: readonly string[];
  /** The start of each line in its text. */
  readonly #starts: Uint32Array;

  private constructor(
    list: FileList,
    order: Uint32Array,
    lines: { readonly texts: readonly string[]; readonly starts: Uint32Array },
  ) {
    this.list = list;
    this.#order = order;
    this.#texts = lines.texts;
    this.#starts = lines.starts;
  }

  static *build(list: FileList): Work<FileIndex> {
    const keyed: { readonly index: number; readonly key: string }[] = [];
    for (let index = 0; index < list.count; index += 1) {
      if (index % FILES_PER_STEP === 0) yield;
      keyed.push({ index, key: naturalKey(list.at(index).path) });
    }
    const sorted = yield* sortInSteps(keyed, (a, b) =>
      a.key < b.key ? -1 : a.key > b.key ? 1 : a.index - b.index,
    );
    const order = Uint32Array.from(sorted, ({ index }) => index);
    const starts = new Uint32Array(list.count);
    const texts: string[] = [];
    for (let first = 0; first < order.length; first += FILES_PER_STEP) {
      let text = "";
      const end = Math.min(first + FILES_PER_STEP, order.length);
      for (let place = first; place < end; place += 1) {
        starts[place] = text.length;
        // No file name contains a line break.
        text += `${list.at(order[place]!).path.toLowerCase()}\n`;
      }
      texts.push(text);
      yield;
    }
    return new FileIndex(list, order, { texts, starts });
  }

  /** The file at a place in natural order. */
  at(place: number): ListedFile {
    return this.list.at(this.#order[place]!);
  }

  /**
   * @returns Places in natural order of the files whose paths contain all words of `query`; of all files without
   * words.
   */
  *search(query: string): Work<Uint32Array> {
    const [first, ...others] = wordsOf(query);
    const found = new Uint32Array(this.list.count);
    if (first === undefined) return found.map((_, place) => place);
    let count = 0;
    for (const [step, text] of this.#texts.entries()) {
      let place = step * FILES_PER_STEP;
      const end = Math.min(place + FILES_PER_STEP, this.list.count);
      for (let at = text.indexOf(first); at !== -1;) {
        while (place + 1 < end && this.#starts[place + 1]! <= at) place += 1;
        const lineEnd = place + 1 < end ? this.#starts[place + 1]! : text.length;
        const line = text.slice(this.#starts[place], lineEnd);
        if (others.every((word) => line.includes(word))) found[count++] = place;
        at = text.indexOf(first, lineEnd);
      }
      yield;
    }
    return found.subarray(0, count);
  }
}

/** The longest word first, because few files have it. */
function wordsOf(query: string): string[] {
  const words = new Set(query.toLowerCase().split(/\s+/).filter(Boolean));
  return [...words].sort((a, b) => b.length - a.length).slice(0, WORDS_MAX);
}
