import type { BencodeDict } from "../bencode/bencode-value.ts";
import { Oddities } from "../bencode/oddities.ts";
import { MetainfoError } from "./metainfo-error.ts";
import { readableText } from "./read-info-fields.ts";

/** Warnings of one torrent that are reported one by one; 200,000 odd files would say nothing more. */
const WARNINGS_MAX = 50;

/** The name of a dictionary in messages, and its keys that must not contradict themselves. */
export interface DictPlace {
  readonly dict: BencodeDict;
  /** The prefix of a key, for example `info.`; empty for the outermost dictionary. */
  readonly where: () => string;
  readonly decisive: ReadonlySet<string>;
}

/**
 * Harmless oddities found while a document was read (house rule 13): collected during the reading, reported as
 * warnings at the end.
 */
export class ReadingNotes {
  /** Everything the bencode reader accepted although BEP 3 does not allow it. */
  readonly oddities: Oddities = new Oddities();
  readonly #warnings: string[] = [];
  #untold = 0;
  /** Entries of `oddities.repeats` that were already judged. */
  #judged = 0;

  warn(text: string): void {
    if (this.#warnings.length < WARNINGS_MAX) this.#warnings.push(text);
    else this.#untold += 1;
  }

  /**
   * Judges the keys repeated since the last call. In dictionaries that are not listed in `places`, no key is
   * decisive.
   *
   * @throws {MetainfoError} `repeated-key` when a decisive key contradicts itself: two programs would see two
   *   different torrents (BEN-7).
   */
  judgeRepeats(...places: readonly DictPlace[]): void {
    const { repeats, repeatCount } = this.oddities;
    if (repeatCount > repeats.length) {
      throw new MetainfoError("repeated-key", `more than ${repeats.length} keys stand there twice`);
    }
    if (this.#judged === repeats.length) return;
    for (; this.#judged < repeats.length; this.#judged += 1) {
      const { dict, key, differs } = repeats[this.#judged]!;
      this.judgeRepeat(
        places.find((place) => place.dict === dict),
        key,
        differs,
      );
    }
  }

  /** Judges one repeated key. @throws {MetainfoError} Like `judgeRepeats`. */
  judgeRepeat(place: Omit<DictPlace, "dict"> | undefined, key: string, differs: boolean): void {
    const name = `"${place?.where() ?? ""}${readableText(key, 60)}"`;
    if (differs && place?.decisive.has(key)) {
      throw new MetainfoError("repeated-key", `${name} stands there twice, and says two things`);
    }
    this.warn(`${name} stands there more than once; the first one counts`);
  }

  /** All oddities, in words for people. */
  finish(): string[] {
    const { paddedNumbers, trailingBytes } = this.oddities;
    if (paddedNumbers > 0) this.warn(`${paddedNumbers} numbers begin with needless zeros`);
    if (trailingBytes > 0) {
      this.warn(`${trailingBytes} bytes behind the end of the torrent are not part of it`);
    }
    const warnings = [...this.#warnings];
    if (this.#untold > 0) warnings.push(`${this.#untold} more oddities of these kinds`);
    return warnings;
  }
}
