import type { FileStamp } from "../../ports/content.ts";
import { PLACE_KINDS, STAMP_NUMBERS, UNFINISHED_PLACE } from "./disk-job.ts";

/** Stamps converted in one turn of the event loop: about 2 ms. */
export const STAMPS_PER_TURN = 8_192;

/**
 * Converts the numbers that a worker returned into stamps.
 *
 * @param onRead - Called within this call if one turn suffices, as it does for nearly every
 * torrent.
 */
export function readStamps(
  numbers: Float64Array,
  onRead: (stamps: readonly FileStamp[]) => void,
): void {
  const stamps: FileStamp[] = [];
  const count = numbers.length / STAMP_NUMBERS;
  const turn = (): void => {
    const end = Math.min(stamps.length + STAMPS_PER_TURN, count);
    while (stamps.length < end) stamps.push(stampAt(numbers, stamps.length * STAMP_NUMBERS));
    if (end === count) onRead(stamps);
    else setImmediate(turn);
  };
  turn();
}

function stampAt(numbers: Float64Array, at: number): FileStamp {
  const size = numbers[at]!;
  const place = numbers[at + 3]!;
  const unfinished = place >= UNFINISHED_PLACE;
  if (size >= 0) return { size, mtimeMs: numbers[at + 1]!, inode: numbers[at + 2]!, unfinished };
  const nearest = { depth: numbers[at + 1]!, empty: numbers[at + 2] === 1 };
  const obstacle = PLACE_KINDS[place % UNFINISHED_PLACE];
  return { size, mtimeMs: 0, inode: 0, nearest, obstacle, unfinished };
}
