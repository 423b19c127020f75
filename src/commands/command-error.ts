import { EverseedError } from "../base/errors.ts";
import { systemCode } from "../base/system-code.ts";

export type CommandErrorCode =
  /** What was given is no torrent, or a broken one. */
  | "not-a-torrent"
  | "bad-magnet"
  /** Settings no torrent can be made from. */
  | "bad-plan"
  | "not-found"
  /** It is there already and would be overwritten. */
  | "exists"
  /** Another program, or another everseed, uses the port. */
  | "port-taken"
  /** A second hub on the same data folder. */
  | "data-in-use"
  | "not-readable"
  | "not-writable"
  | "disk-full"
  | "disk-error"
  /** A machine that does not answer, or answers with nonsense: worth another try. */
  | "unreachable"
  /** The other side knows us and says no. */
  | "not-allowed"
  /** Bytes that do not match their hash. */
  | "corrupt"
  /** A file changed while it was read. */
  | "changed"
  | "stopped";

/** Something asked of the program cannot be done. The edges have a table from code to their own language. */
export class CommandError extends EverseedError {
  readonly code: CommandErrorCode;
  /** For people: what, then why, as sentences. May quote outside text, not escaped. */
  readonly detail: string;
  /** What to do about it, beginning in lower case; follows "Try:". */
  readonly hint: string | undefined;
  /** The file or URL it is about. */
  readonly subject: string | undefined;

  constructor(
    code: CommandErrorCode,
    detail: string,
    more: { hint?: string | undefined; subject?: string | undefined; cause?: unknown } = {},
  ) {
    super(`${code}: ${detail}`, { cause: more.cause });
    this.code = code;
    this.detail = detail;
    this.hint = more.hint;
    this.subject = more.subject;
  }
}

/**
 * Puts into words what the disk refused.
 *
 * @param failure - Carries the operating system's `code`.
 * @param doing - What was tried: "read photos/a.jpg", "write to /data".
 */
export function diskTrouble(failure: unknown, doing: string, subject?: string): CommandError {
  const code = systemCode(failure);
  const cause = failure;
  switch (code) {
    case "ENOTDIR":
      return new CommandError(
        "not-found",
        `Cannot ${doing}. On the way there, a file is no folder.`,
        {
          subject,
          cause,
          hint: "check the spelling of the folders.",
        },
      );
    case "ENOENT":
      return new CommandError("not-found", `Cannot ${doing}. There is nothing of that name.`, {
        subject,
        cause,
        hint: "check the spelling, and whether the disk is mounted.",
      });
    case "EACCES":
    case "EPERM":
      return new CommandError(
        doing.startsWith("read") ? "not-readable" : "not-writable",
        `Cannot ${doing}. The system does not allow it to this user.`,
        { subject, cause, hint: "change the permissions, or use a folder of your own." },
      );
    case "EEXIST":
      return new CommandError("not-writable", `Cannot ${doing}. A file stands in its place.`, {
        subject,
        cause,
        hint: "move that file away, or choose another folder.",
      });
    case "ENAMETOOLONG":
      return new CommandError(
        // Nothing that long can be there.
        doing.startsWith("read") ? "not-found" : "bad-plan",
        `Cannot ${doing}. The name is too long for the disk.`,
        {
          subject,
          cause,
          hint: "a shorter one: disks take 255 bytes for a name, 4095 for a whole path.",
        },
      );
    case "ELOOP":
      return new CommandError("not-writable", `Cannot ${doing}. ${capital(messageOf(failure))}`, {
        subject,
        cause,
        hint: "put the folder itself there, or mount the other disk in its place (mount --bind).",
      });
    case "EROFS":
      return new CommandError("not-writable", `Cannot ${doing}. The disk is read-only.`, {
        subject,
        cause,
        hint: "mount it writable, or choose a folder on another disk.",
      });
    case "ENOSPC":
    case "EDQUOT":
      return new CommandError("disk-full", `Cannot ${doing}. The disk is full.`, {
        subject,
        cause,
        hint: "free space and start again: what is there already is kept.",
      });
    default:
      return new CommandError("disk-error", `Cannot ${doing}. ${messageOf(failure)}`, {
        subject,
        cause,
      });
  }
}

/** For a file that is to be written where no folder is. */
export function folderMissing(path: string, folder: string): CommandError {
  return new CommandError("not-found", `Cannot write ${path}. There is no folder ${folder}.`, {
    subject: path,
    hint: `check its spelling, or make it: mkdir -p ${folder}`,
  });
}

function capital(words: string): string {
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function messageOf(failure: unknown): string {
  if (typeof failure === "object" && failure !== null && "message" in failure) {
    return `${String(failure.message)}.`;
  }
  return `${String(failure)}.`;
}
