import type { Clock } from "../ports/clock.ts";
import type { UserFiles } from "../ports/user-files.ts";
import { diskTrouble } from "./command-error.ts";
import { nearestExisting } from "./disk-space.ts";

/** A temporary file not touched for this long was left by a kill (STO-14). */
const LEFTOVER_MS = 60 * 60 * 1000;

/**
 * Makes the folder of a download, if it is not there.
 *
 * @param root - Absolute. @param folder - As the user names it.
 * @throws {CommandError} (rejects) When nothing can be written there.
 */
export async function prepareFolder(
  { files, clock }: { readonly files: UserFiles; readonly clock: Pick<Clock, "wallMs"> },
  root: string,
  folder: string,
): Promise<void> {
  try {
    // The nearest existing folder knows why it cannot be written to; a recursive mkdir would call a read-only disk
    // "not found".
    const nearest = nearestExisting(files, root);
    if (files.look(nearest)?.kind !== "file") await files.tryToWriteIn(nearest);
    await files.makeFolders(root);
    await files.removeLeftovers(root, clock.wallMs() - LEFTOVER_MS);
  } catch (error) {
    throw diskTrouble(error, `write to ${folder}`, folder);
  }
}
