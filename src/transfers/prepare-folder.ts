import type { ContentFiles } from "./transfer-chores.ts";
import { asDiskError, TransfersError } from "./transfers-error.ts";

/**
 * Makes the folder that content is to be put into.
 *
 * @throws {TransfersError} (rejects) `bad-choice` unless it is an absolute path; the disk's refusal.
 */
export async function prepareFolder(
  content: Pick<ContentFiles, "makeFolder">,
  root: string,
): Promise<void> {
  refuseRelative(root);
  try {
    await content.makeFolder(root);
  } catch (error) {
    throw asDiskError(error, `the folder ${root} cannot be used`);
  }
}

/** @throws {TransfersError} `bad-choice`. */
export function refuseRelative(...folders: readonly string[]): void {
  for (const folder of folders) {
    if (folder.startsWith("/") && !folder.includes("\0")) continue;
    throw new TransfersError("bad-choice", `${folder} is no absolute path.`);
  }
}

/**
 * @returns Makes the folder the first time that it is called.
 * @throws {TransfersError} `bad-choice`, at once.
 */
export function prepareOnce(
  content: Pick<ContentFiles, "makeFolder">,
  root: string,
): () => Promise<void> {
  refuseRelative(root);
  let prepared: Promise<void> | undefined;
  return () => (prepared ??= prepareFolder(content, root));
}
