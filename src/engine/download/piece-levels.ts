import type { Geometry } from "../../base/geometry.ts";
import type { FetchOrder, FetchPriority } from "../fetch-order.ts";
import { PRIORITY_NORMAL } from "../picker/piece-picker.ts";

/** What a file's priority is for its pieces. One above it is the beginning and the end of the file. */
const LEVELS: Readonly<Record<FetchPriority, number>> = {
  low: PRIORITY_NORMAL - 2,
  normal: PRIORITY_NORMAL,
  high: PRIORITY_NORMAL + 2,
};

/** This part of a file is its beginning or its end, at least one piece of it. */
const END_SHARE = 0.01;
/** The index of a film is at one of its ends, and no larger than this. */
const END_BYTES_MAX = 16 * 1024 * 1024;

/**
 * The priority of each piece of the wanted files; a piece of several files has the highest one of them.
 *
 * @returns `undefined` when all are the same.
 */
export function pieceLevels(
  geometry: Geometry,
  { files = {}, firstAndLast = false }: FetchOrder,
  wantsFile: (index: number) => boolean,
): Uint8Array | undefined {
  if (!firstAndLast && Object.keys(files).length === 0) return undefined;
  const levels = new Uint8Array(geometry.pieceCount);
  const raise = (first: number, end: number, level: number): void => {
    for (let piece = first; piece < end; piece += 1) {
      levels[piece] = Math.max(levels[piece]!, level);
    }
  };
  for (const [index, { pad, length }] of geometry.files.entries()) {
    if (pad || length === 0 || !wantsFile(index)) continue;
    const level = LEVELS[files[index] ?? "normal"];
    const { first, end } = geometry.filePieces(index);
    raise(first, end, level);
    if (!firstAndLast) continue;
    const bytes = Math.min(END_BYTES_MAX, length * END_SHARE);
    const count = Math.max(1, Math.ceil(bytes / geometry.pieceLength));
    raise(first, Math.min(end, first + count), level + 1);
    raise(Math.max(first, end - count), end, level + 1);
  }
  return levels;
}
