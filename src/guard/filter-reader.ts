import { FilterError } from "./filter-error.ts";
import { readFilterLine } from "./filter-line.ts";
import type { IpRangesBuilder } from "./ip-ranges.ts";

/** A longer line counts as bad, and its rest is skipped. Descriptions take some hundred bytes. */
const LINE_BYTES_MAX = 4096;
/** Descriptions are in whatever encoding: each byte is one character. */
const ONE_BYTE = new TextDecoder("latin1");
const UTF8_MARK = "\u00ef\u00bb\u00bf";

/** Beginnings of files that people take for lists. */
const OTHER_FORMS: readonly (readonly [magic: string, words: string])[] = [
  ["\u00ff\u00ff\u00ff\u00ffP2B", "it is a binary P2B list: take the same list as p2p text"],
  ["PK\u0003\u0004", "it is a zip archive: unpack it first"],
  ["7z\u00bc\u00af", "it is a 7z archive: unpack it first"],
];

const MAGIC_BYTES = 7;

/** What a list held. */
export interface FilterFacts {
  readonly ranges: number;
  readonly badLines: number;
  /** The number of the first bad line, from 1; `undefined` when there is none. */
  readonly firstBadLine: number | undefined;
}

/** Reads one list as its bytes arrive. A machine: it holds no file. */
export class FilterReader {
  readonly #into: IpRangesBuilder;
  /** The beginning of a line whose end has not arrived. */
  #rest = "";
  #isTooLong = false;
  #lines = 0;
  #ranges = 0;
  #badLines = 0;
  #firstBadLine: number | undefined;

  constructor(into: IpRangesBuilder) {
    this.#into = into;
  }

  /** @throws {FilterError} `no-list` for a known form of file that is none; `too-many`. */
  push(bytes: Uint8Array): void {
    const text = ONE_BYTE.decode(bytes);
    let start = 0;
    for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n", start)) {
      this.#keep(text.slice(start, end));
      this.#endLine();
      start = end + 1;
    }
    this.#keep(text.slice(start));
  }

  /** @throws {FilterError} `no-list` when there are lines and none of them is of a list. */
  finish(): FilterFacts {
    if (this.#rest !== "" || this.#isTooLong) this.#endLine();
    const [ranges, badLines] = [this.#ranges, this.#badLines];
    if (badLines > 0 && ranges === 0) {
      throw new FilterError("no-list", `no line of it is an address or a range of addresses`);
    }
    return { ranges, badLines, firstBadLine: this.#firstBadLine };
  }

  #keep(text: string): void {
    if (this.#lines === 0) refuseOtherForms(this.#rest + text.slice(0, MAGIC_BYTES));
    if (this.#rest.length + text.length > LINE_BYTES_MAX) {
      this.#isTooLong = true;
      this.#rest = "";
    }
    if (!this.#isTooLong) this.#rest += text;
  }

  #endLine(): void {
    const hasMark = this.#lines === 0 && this.#rest.startsWith(UTF8_MARK);
    const text = hasMark ? this.#rest.slice(UTF8_MARK.length) : this.#rest;
    const isTooLong = this.#isTooLong;
    this.#rest = "";
    this.#isTooLong = false;
    this.#lines += 1;
    const line = isTooLong ? ({ kind: "bad" } as const) : readFilterLine(text);
    switch (line.kind) {
      case "range":
        this.#into.add(line.first, line.last);
        this.#ranges += 1;
        break;
      case "bad":
        this.#badLines += 1;
        this.#firstBadLine ??= this.#lines;
        break;
      case "nothing":
        break;
    }
  }
}

function refuseOtherForms(start: string): void {
  for (const [magic, words] of OTHER_FORMS) {
    if (start.startsWith(magic)) throw new FilterError("no-list", words);
  }
}
