import type { TorrentInfo } from "../metainfo/metainfo.ts";
import type { Damage } from "./content-faults.ts";

/** Files people know: no padding, no links. Their place in this list is their index everywhere outside. */
export function realFiles(info: TorrentInfo): readonly TorrentInfo["files"][number][] {
  return info.files.filter((file) => !file.pad && !file.linkTarget);
}

/** @returns Indexes among real files of those that a download would not give as they were published. */
export function damagedFiles(info: TorrentInfo, damage: Damage | null): ReadonlySet<number> {
  const damaged = new Set<number>();
  if (!damage) return damaged;
  const lostPieces = [...damage.lostPieces];
  let index = 0;
  for (const [file, { pad, linkTarget }] of info.files.entries()) {
    if (pad || linkTarget) continue;
    const { first, end } = info.geometry.filePieces(file);
    const isDamaged =
      damage.all ||
      damage.lostFiles.has(index) ||
      lostPieces.some((piece) => piece >= first && piece < end);
    if (isDamaged) damaged.add(index);
    index += 1;
  }
  return damaged;
}

/** @returns Pieces that the everseed cannot give. */
export function lackingPieces(info: TorrentInfo, damage: Damage | null): ReadonlySet<number> {
  const lacking = new Set<number>(damage?.lostPieces);
  if (!damage) return lacking;
  let index = 0;
  for (const [file, { pad, linkTarget }] of info.files.entries()) {
    if (pad || linkTarget) continue;
    if (damage.all || damage.lostFiles.has(index)) {
      const { first, end } = info.geometry.filePieces(file);
      for (let piece = first; piece < end; piece += 1) lacking.add(piece);
    }
    index += 1;
  }
  return lacking;
}
