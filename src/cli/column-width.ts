import { createRequire } from "node:module";

const PRINTABLE_ASCII = /^[ -~]*$/;

const require = createRequire(import.meta.url);
let widthOfAny: ((text: string) => number) | undefined;

/**
 * Columns that a text takes on a terminal: wide characters two, marks none.
 *
 * What knows that is loaded by the first text that is not ASCII: its tables and expressions cost a third of
 * the start of a command, and most commands never need them.
 */
export function columnWidth(text: string): number {
  if (PRINTABLE_ASCII.test(text)) return text.length;
  widthOfAny ??= (require("string-width") as typeof import("string-width")).default;
  return widthOfAny(text);
}
