/** Accents and the like, apart from their letters. */
const MARKS = /[\u0300-\u036f]/g;

/** Most names: nothing in them is composed. */
const PLAIN = /^[\u0000-\u007f]*$/;

/** Digits of a number that count; a longer one is compared as if it were cut there. */
const DIGITS_MAX = 99;

/**
 * Makes a path comparable as people order files: `9.txt` before `10.txt`, capitals among small letters, and in
 * each folder its files before its folders.
 *
 * @param path - Parts joined by "/".
 * @returns A text; `<` between two of them is the order of their paths. Equal ones are left to the caller.
 */
export function naturalKey(path: string): string {
  const plain = PLAIN.test(path) ? path : path.normalize("NFD").replace(MARKS, "");
  const parts = plain.toLowerCase().split("/");
  return parts.map((part, index) => levelMark(index, parts.length) + wordsKey(part)).join("\u0000");
}

/** The last part is the file's own name. */
function levelMark(index: number, count: number): string {
  return index === count - 1 ? "\u0001" : "\u0002";
}

/** A number begins with the count of its digits, so that a longer one is the greater. */
function wordsKey(part: string): string {
  return part.replace(/0*([0-9]+)/g, (_, digits: string) => {
    const counted = digits.slice(0, DIGITS_MAX);
    return `0${String(counted.length).padStart(2, "0")}${counted}`;
  });
}
