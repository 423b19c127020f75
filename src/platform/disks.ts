import { stat, statfs } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { systemCode } from "../base/system-code.ts";

/** A disk, or whatever else has a size of its own. */
export interface Disk {
  /** The last part of the folder where it is mounted; for the disk of the root folder, `/`. */
  readonly name: string;
  /** Those that were asked for. */
  readonly folders: string[];
  /** For programs without privileges. */
  readonly freeBytes: number;
  readonly totalBytes: number;
}

/**
 * The disks that hold these folders, each once, in the order of the folders. A folder that is not there yet counts for
 * the disk on which it would be made; one that cannot be looked at is left out.
 */
export async function disksOf(folders: readonly string[]): Promise<Disk[]> {
  const disks = new Map<number, Disk>();
  for (const folder of folders) {
    const place = await existing(folder);
    if (!place) continue;
    const known = disks.get(place.device);
    if (known) {
      known.folders.push(folder);
      continue;
    }
    const { blocks, bavail, bsize } = await statfs(place.path);
    // File systems that programs provide may have no size.
    if (blocks === 0) continue;
    disks.set(place.device, {
      name: basename(await mountOf(place)) || "/",
      folders: [folder],
      freeBytes: bavail * bsize,
      totalBytes: blocks * bsize,
    });
  }
  return [...disks.values()];
}

interface Place {
  readonly path: string;
  readonly device: number;
}

/** The folder, or the nearest one above it that is there. */
async function existing(folder: string): Promise<Place | undefined> {
  try {
    return { path: folder, device: (await stat(folder)).dev };
  } catch (error) {
    const isAbsent = systemCode(error) === "ENOENT" && dirname(folder) !== folder;
    return isAbsent ? existing(dirname(folder)) : undefined;
  }
}

/** The highest folder of the same device. */
async function mountOf({ path, device }: Place): Promise<string> {
  const above = dirname(path);
  if (above === path) return path;
  const isSame = (await stat(above)).dev === device;
  return isSame ? mountOf({ path: above, device }) : path;
}
