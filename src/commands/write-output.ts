import { open, rename, rm } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { syncFolder } from "../platform/atomic-file.ts";
import { temporaryPath } from "../platform/temporary-name.ts";
import { systemCode } from "../base/system-code.ts";
import { diskTrouble, folderMissing } from "./command-error.ts";

/**
 * Writes a file that a person asked for: whole or not at all (house rule 11), with the rights their
 * umask gives.
 *
 * @throws {CommandError} `not-found` when its folder is not there, `not-writable`, `disk-full`.
 */
export async function writeOutput(path: string, bytes: Uint8Array): Promise<void> {
  const target = resolve(path);
  const temporary = temporaryPath(target, String(process.pid));
  try {
    await writeDurably(temporary, bytes);
    await rename(temporary, target);
    await syncFolder(dirname(target));
  } catch (error) {
    await rm(temporary, { force: true });
    if (systemCode(error) === "ENOENT") throw folderMissing(path, dirname(path));
    throw diskTrouble(error, `write ${path}`, path);
  }
}

async function writeDurably(path: string, bytes: Uint8Array): Promise<void> {
  await using file = await open(path, "wx");
  await file.writeFile(bytes);
  await file.sync();
}
