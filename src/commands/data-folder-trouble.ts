import { joinPath } from "../base/paths.ts";
import { systemCode } from "../base/system-code.ts";
import { CommandError } from "./command-error.ts";
import { HUB_DATABASE } from "./hub-folder.ts";

export type DatabaseFault =
  | "unreadable"
  | "newer-schema"
  | "older-schema"
  | "disk-full"
  | "read-only";

/**
 * Refuses to let root start another user's hub: that user could not read at the next start what root writes.
 *
 * @param ids.user - Of this process; `undefined` where the system has no ids.
 * @param ids.owner - Of the database; `undefined` when there is none yet.
 * @throws {CommandError} `not-allowed`.
 */
export function refuseForeignHub(
  dataDir: string,
  { user, owner = 0 }: { readonly user: number | undefined; readonly owner: number | undefined },
): void {
  if (user !== 0 || owner === 0) return;
  throw new CommandError(
    "not-allowed",
    `The hub in ${dataDir} belongs to another user (${owner}). That user could not read files that root creates there.`,
    {
      subject: dataDir,
      hint: `run the same command as that user: setpriv --reuid ${owner} --clear-groups ..., or systemctl start; to make it root's, chown -R root ${dataDir}.`,
    },
  );
}

/**
 * Explains that the hub may not open a file in its data folder.
 *
 * @param user - The id of the hub's user.
 * @returns Any other error as it is.
 */
export function closedFileTrouble(
  error: unknown,
  dataDir: string,
  user: number | undefined,
): unknown {
  const code = systemCode(error);
  if (error instanceof CommandError || (code !== "EACCES" && code !== "EPERM")) return error;
  return new CommandError(
    "not-readable",
    `Some files in ${dataDir} are closed to this user. Another user made them, perhaps root.`,
    {
      subject: dataDir,
      hint: `as root: chown -R ${user ?? "USER"} ${dataDir}`,
      cause: error,
    },
  );
}

/** Explains why a hub's database cannot be used. */
export function databaseTrouble(
  fault: DatabaseFault,
  dataDir: string,
  cause?: unknown,
): CommandError {
  const subject = joinPath(dataDir, HUB_DATABASE);
  switch (fault) {
    case "unreadable":
      return new CommandError("corrupt", `${subject} is damaged. It was left as it is.`, {
        subject,
        cause,
        hint: "put a backup in its place, or move it away to start afresh.",
      });
    case "newer-schema":
      return new CommandError("corrupt", `${subject} was written by a newer Everseed.`, {
        subject,
        cause,
        hint: "start that version, or a newer one.",
      });
    case "older-schema":
      return new CommandError("data-in-use", `The hub that uses ${dataDir} is an older Everseed.`, {
        subject,
        cause,
        hint: "stop it first, then run the same command again.",
      });
    case "disk-full":
      return new CommandError("disk-full", `Cannot write to ${subject}. The disk is full.`, {
        subject,
        cause,
        hint: "free some space, then start again.",
      });
    case "read-only":
      return new CommandError("not-writable", `Cannot write to ${subject}. It is read-only.`, {
        subject,
        cause,
        hint: "make the folder writable for this user.",
      });
  }
}
