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
  if (!root.startsWith("/")) {
    throw new TransfersError("bad-choice", `${root} is no absolute path.`);
  }
  try {
    await content.makeFolder(root);
  } catch (error) {
    throw asDiskError(error, `the folder ${root} cannot be used`);
  }
}
