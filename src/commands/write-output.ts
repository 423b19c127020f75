import { folderOf } from "../base/paths.ts";
import { systemCode } from "../base/system-code.ts";
import type { UserFiles } from "../ports/user-files.ts";
import { diskTrouble, folderMissing } from "./command-error.ts";

/**
 * Writes a file that a user asked for: all of it or nothing (house rule 11), with the rights of
 * their umask.
 *
 * @throws {CommandError} `not-found` when its folder does not exist, `not-writable`, `disk-full`.
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
