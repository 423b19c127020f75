import { createRequire } from "node:module";

const PRINTABLE_ASCII = /^[ -~]*$/;

const require = createRequire(import.meta.url);
let widthOfAny: ((text: string) => number) | undefined;

/**
 * Columns that a text takes on a terminal: wide characters take two, marks none.
 *
 * The tables for this are loaded with the first text that is not ASCII: they take a third of the start of a command,
 * and most commands never need them.
 */
export function columnWidth(text: string): number {
  if (PRINTABLE_ASCII.test(text)) return text.length;
  widthOfAny ??= (require("string-width") as typeof import("string-width")).default;
  return widthOfAny(text);
}
