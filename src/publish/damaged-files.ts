import type { Work } from "../base/work.ts";
import type { TorrentInfo } from "../metainfo/metainfo.ts";
import type { Damage } from "./content-faults.ts";

/** Files or pieces that are examined before other work gets a turn. */
const LOOKED_AT_PER_STEP = 1_024;

/** The files people know: no padding and no links. Outside, a file's index is its index in this list. */
export function realFiles(info: TorrentInfo): readonly TorrentInfo["files"][number][] {
  return info.files.filter((file) => !file.pad && !file.linkTarget);
}

/** @returns Indexes of the real files that a download would not give as published. */
export function* damagedFiles(info: TorrentInfo, damage: Damage | null): Work<ReadonlySet<number>> {
  const damaged = new Set<number>();
  if (!damage) return damaged;
  // This includes pieces shared with a lost file: they cannot be verified, and are not served.
  const lostPieces = Uint32Array.from(yield* lackingPieces(info, damage)).sort();
  let index = 0;
  for (const [file, { pad, linkTarget }] of info.files.entries()) {
    if (file % LOOKED_AT_PER_STEP === 0) yield;
    if (pad || linkTarget) continue;
    const { first, end } = info.geometry.filePieces(file);
    const isDamaged =
      damage.all || damage.lostFiles.has(index) || hasBetween(lostPieces, first, end);
    if (isDamaged) damaged.add(index);
    index += 1;
  }
  return damaged;
}

/** @returns True when one of the ascending `numbers` is in the range from `first` to below `end`. */
function hasBetween(numbers: Uint32Array, first: number, end: number): boolean {
  let low = 0;
  let high = numbers.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (numbers[middle]! < first) low = middle + 1;
    else high = middle;
  }
  return low < numbers.length && numbers[low]! < end;
}

/** @returns The pieces that the everseed cannot serve. */
export function* lackingPieces(
  info: TorrentInfo,
  damage: Damage | null,
): Work<ReadonlySet<number>> {
  const lacking = new Set<number>(damage?.lostPieces);
  if (!damage) return lacking;
  let index = 0;
  let looked = 0;
  for (const [file, { pad, linkTarget }] of info.files.entries()) {
    if (file % LOOKED_AT_PER_STEP === 0) yield;
    if (pad || linkTarget) continue;
    if (damage.all || damage.lostFiles.has(index)) {
      const { first, end } = info.geometry.filePieces(file);
      for (let piece = first; piece < end; piece += 1) {
        lacking.add(piece);
        looked += 1;
        if (looked % LOOKED_AT_PER_STEP === 0) yield;
      }
    }
    index += 1;
  }
  return lacking;
}
