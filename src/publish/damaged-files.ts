import type { Work } from "../base/work.ts";
import type { TorrentInfo } from "../metainfo/metainfo.ts";
import type { Damage } from "./content-faults.ts";

/** Files or pieces that are looked at before others may have a turn. */
const LOOKED_AT_PER_STEP = 1_024;

/** Files people know: no padding, no links. Their place in this list is their index everywhere outside. */
export function realFiles(info: TorrentInfo): readonly TorrentInfo["files"][number][] {
  return info.files.filter((file) => !file.pad && !file.linkTarget);
}

/** @returns Indexes among real files of those that a download would not give as they were published. */
export function* damagedFiles(info: TorrentInfo, damage: Damage | null): Work<ReadonlySet<number>> {
  const damaged = new Set<number>();
  if (!damage) return damaged;
  // Also those that share a piece with a lost file: their bytes there cannot be judged, and are not given.
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

/** @returns True when one of the ascending `numbers` is from `first` on and below `end`. */
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

/** @returns Pieces that the everseed cannot give. */
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
