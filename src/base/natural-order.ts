/** Combining marks, such as accents. */
const MARKS = /[\u0300-\u036f]/g;

/** Most names are ASCII and have nothing composed. */
const PLAIN = /^[\u0000-\u007f]*$/;

/** Digits of a number that are compared; a longer number is cut. */
const DIGITS_MAX = 99;

/**
 * Makes a path comparable in the order people expect: `9.txt` before `10.txt`, capitals among small letters, and the
 * files of a folder before its subfolders.
 *
 * @param path - Parts joined by "/".
 * @returns A text; comparing two of them with `<` orders their paths. Equal keys are left to the caller.
 */
export function naturalKey(path: string): string {
  const plain = PLAIN.test(path) ? path : path.normalize("NFD").replace(MARKS, "");
  const parts = plain.toLowerCase().split("/");
  return parts.map((part, index) => levelMark(index, parts.length) + wordsKey(part)).join("\u0000");
}

/** The last part is the name of the file itself. */
function levelMark(index: number, count: number): string {
  return index === count - 1 ? "\u0001" : "\u0002";
}

/** A number is prefixed with its count of digits, so that a longer number sorts after a shorter one. */
function wordsKey(part: string): string {
  return part.replace(/0*([0-9]+)/g, (_, digits: string) => {
    const counted = digits.slice(0, DIGITS_MAX);
    return `0${String(counted.length).padStart(2, "0")}${counted}`;
  });
}
