import { linkSync, lstatSync, renameSync, unlinkSync } from "node:fs";
import { systemCode } from "./disk-refusal.ts";

/** The answers of file systems without hard links. */
const WITHOUT_LINKS: ReadonlySet<string> = new Set([
  "EPERM",
  "EOPNOTSUPP",
  "ENOTSUP",
  "ENOSYS",
  "EMLINK",
]);

/**
 * Renames a file within its folder to a name that nothing has. Where the file system has hard links
 * this is one step, so that it never replaces a file that somebody creates there at that moment.
 *
 * @throws The system's error; `EEXIST` when the name is taken.
 */
export function moveToFree(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch (error) {
    if (!WITHOUT_LINKS.has(systemCode(error) ?? "")) throw error;
    if (lstatSync(to, { throwIfNoEntry: false })) throw existsError(error, to);
    renameSync(from, to);
    return;
  }
  unlinkSync(from);
}

function existsError(cause: unknown, path: string): Error {
  const error = new Error(`${path} is there`, { cause });
  return Object.assign(error, { code: "EEXIST", syscall: "link" });
}
