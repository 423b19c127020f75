import type { PathFacts, UserFiles } from "../ports/user-files.ts";
import { diskTrouble } from "./command-error.ts";

/**
 * @returns `undefined` when there is nothing. Links are followed, and one that leads nowhere is nothing.
 * @throws {CommandError} What the disk refuses.
 */
export function factsOf(files: UserFiles, path: string): PathFacts | undefined {
  return wordingTrouble(path, () => files.look(path));
}

/** Like `factsOf`, of a link itself. */
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
