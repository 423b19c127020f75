import type { RichText } from "../api/rich-text.ts";
import { parseRichText } from "./rich-text.ts";

/** Each takes some milliseconds to parse, and some kilobytes. */
const KEPT_MAX = 200;

/** Caches parsed descriptions, so that a page that is viewed often parses its own only once. */
export class Descriptions {
  /** In the order of last use. */
  readonly #kept = new Map<string, RichText>();

  read(text: string | null): RichText {
    if (text === null) return [];
    const blocks = this.#kept.get(text) ?? parseRichText(text);
    this.#kept.delete(text);
    this.#kept.set(text, blocks);
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= KEPT_MAX) break;
      this.#kept.delete(oldest);
    }
    return blocks;
  }
}
