import type { PathFacts, UserFiles } from "../ports/user-files.ts";
import { diskTrouble } from "./command-error.ts";

/**
 * @returns `undefined` when nothing is there. Follows links; a dangling link counts as nothing.
 * @throws {CommandError} The disk's refusal.
 */
export function factsOf(files: UserFiles, path: string): PathFacts | undefined {
  return wordingTrouble(path, () => files.look(path));
}

/** Like `factsOf`, for a link itself. */
export function entryFactsOf(files: UserFiles, path: string): PathFacts | undefined {
  return wordingTrouble(path, () => files.lookAtEntry(path));
}

function wordingTrouble<Result>(path: string, look: () => Result): Result {
  try {
    return look();
  } catch (error) {
    throw diskTrouble(error, `read ${path}`, path);
  }
}
