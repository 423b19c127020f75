import { constants } from "node:fs";
import { lstat, open, readdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { systemCode } from "../base/system-code.ts";
import { isTemporaryName, temporaryPath } from "./temporary-name.ts";

/** Readable by its owner only, from its creation on (CLI-3). */
const PRIVATE_MODE = 0o600;

let preparedCount = 0;

/**
 * Replaces a whole file (house rule 11): after a crash at any moment the path holds the old file or
 * the new one, complete. The folder must exist.
 */
export async function writeAtomically(path: string, bytes: Uint8Array): Promise<void> {
  preparedCount += 1;
  const temporary = temporaryPath(path, `${process.pid}-${preparedCount}`);
  try {
    const file = await open(temporary, "wx", PRIVATE_MODE);
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncFolder(dirname(path));
}

/** Makes the names in a folder durable. A rename is not durable before this. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await folder.sync();
  } catch (error) {
    // Some network file systems cannot sync folders; there is no other way to ask them.
    if (systemCode(error) !== "EINVAL") throw error;
  } finally {
    await folder.close();
  }
}

/**
 * Removes files that a crash left half prepared in a folder (STO-14).
 *
 * @param beforeMs - Wall milliseconds; a file modified since then may still be in use and stays.
 * @returns The names removed.
 */
export async function removeLeftovers(folder: string, beforeMs: number): Promise<string[]> {
  const removed: string[] = [];
  for (const name of await readdir(folder)) {
    if (!isTemporaryName(name)) continue;
    const path = join(folder, name);
    const facts = await lstat(path);
    if (!facts.isFile() || facts.mtimeMs >= beforeMs) continue;
    await rm(path, { force: true });
    removed.push(name);
  }
  return removed;
}
