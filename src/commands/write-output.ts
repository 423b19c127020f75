import { folderOf } from "../base/paths.ts";
import { systemCode } from "../base/system-code.ts";
import type { UserFiles } from "../ports/user-files.ts";
import { diskTrouble, folderMissing } from "./command-error.ts";

/**
 * Writes a file that a person asked for: whole or not at all (house rule 11), with the rights their
 * umask gives.
 *
 * @throws {CommandError} `not-found` when its folder is not there, `not-writable`, `disk-full`.
 */
export async function writeOutput(
  files: UserFiles,
  path: string,
  bytes: Uint8Array,
): Promise<void> {
  try {
    await files.write(path, bytes);
  } catch (error) {
    if (systemCode(error) === "ENOENT") throw folderMissing(path, folderOf(path));
    throw diskTrouble(error, `write ${path}`, path);
  }
}
