import { isHarmless } from "./safe-path.ts";

const FIRST = 1;
const INNER = 2;
const LAST = 4;

let knownPlaces: Uint8Array | undefined;

/** Where in a harmless name each byte may occur, computed from `isHarmless`, the one rule, for the first name. */
function placesOfBytes(): Uint8Array {
  knownPlaces ??= Uint8Array.from({ length: 256 }, (_, byte) => {
    const letter = String.fromCharCode(byte);
    return (
      (isHarmless(letter) ? FIRST : 0) |
      (isHarmless(`a${letter}a`) ? INNER : 0) |
      (isHarmless(`a${letter}`) ? LAST : 0)
    );
  });
  return knownPlaces;
}

/** The first three letters of Windows devices and of padding names. */
const LOOKED_AT_CLOSER: ReadonlySet<number> = new Set(
  ["con", "prn", "aux", "nul", "com", "lpt", "___"].map((start) => startOf(start)),
);

/**
 * Recognises names that are fit for every file system as they are, without building a text. It may miss some: names
 * that begin like a Windows device or like padding.
 *
 * @param at - Offset of the first byte.
 * @param length - Bytes.
 */
export function isPlainName(bytes: Uint8Array, at: number, length: number): boolean {
  if (length < 1 || length > 255) return false;
  const places = placesOfBytes();
  const end = at + length - 1;
  if ((places[bytes[at]!]! & FIRST) === 0) return false;
  if (length > 1 && (places[bytes[end]!]! & LAST) === 0) return false;
  for (let index = at + 1; index < end; index += 1) {
    if ((places[bytes[index]!]! & INNER) === 0) return false;
  }
  if (length < 3) return true;
  // Setting a bit turns capital letters into small ones; `_` does not collide with another letter.
  const start = (bytes[at]! << 16) | (bytes[at + 1]! << 8) | bytes[at + 2]!;
  return !LOOKED_AT_CLOSER.has(start | 0x202020);
}

function startOf(text: string): number {
  const [a = 0, b = 0, c = 0] = [...text].map((letter) => letter.charCodeAt(0));
  return (a << 16) | (b << 8) | c | 0x202020;
}
