import { linkSync, lstatSync, renameSync, unlinkSync } from "node:fs";
import { systemCode } from "./disk-refusal.ts";

/** What file systems without hard links answer. */
const WITHOUT_LINKS: ReadonlySet<string> = new Set([
  "EPERM",
  "EOPNOTSUPP",
  "ENOTSUP",
  "ENOSYS",
  "EMLINK",
]);

/**
 * Renames a file within its folder, to a name that nothing has. In one step where the file system has hard links, so
 * that what somebody puts there at this moment is not replaced.
 *
 * @throws The system's error, `EEXIST` when something has the name.
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
