import { EverseedError } from "../base/errors.ts";
import { systemCode } from "../base/system-code.ts";

export type CommandErrorCode =
  /** The input is not a torrent, or a broken one. */
  | "not-a-torrent"
  | "bad-magnet"
  /** Settings that no torrent can have. */
  | "bad-plan"
  | "not-found"
  /** The file exists already and would be overwritten. */
  | "exists"
  /** Another program, or another everseed, uses the port. */
  | "port-taken"
  /** A second hub on the same data folder. */
  | "data-in-use"
  | "not-readable"
  | "not-writable"
  | "disk-full"
  | "disk-error"
  /** A machine that does not answer, or answers nonsense: a retry may help. */
  | "unreachable"
  /** The node begins, and will answer soon. */
  | "starting"
  /** The program we started ended at once, or was not ready in time. */
  | "start-failed"
  /** The program was asked to end, and did not. */
  | "hangs"
  /** The server knows us and refuses. */
  | "not-allowed"
  /** Bytes that do not match their hash. */
  | "corrupt"
  /** A file changed while it was read. */
  | "changed"
  | "stopped";

/** The program cannot do what it was asked. The edges map codes to their own terms. */
export class CommandError extends EverseedError {
  readonly code: CommandErrorCode;
  /** For people: what failed, then why, as sentences. May quote outside text, unescaped. */
  readonly detail: string;
  /** What to do about it, starting in lower case; follows "Try:". */
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
 * Describes a refusal of the disk.
 *
 * @param failure - Carries the operating system's `code`.
 * @param doing - The attempted action: "read photos/a.jpg", "write to /data".
 */
export function diskTrouble(failure: unknown, doing: string, subject?: string): CommandError {
  const code = systemCode(failure);
  const cause = failure;
  switch (code) {
    case "ENOTDIR":
      return new CommandError(
        "not-found",
        `Cannot ${doing}. A part of the path is a file, not a folder.`,
        {
          subject,
          cause,
          hint: "check the spelling of the folders.",
        },
      );
    case "ENOENT":
      return new CommandError("not-found", `Cannot ${doing}. No file or folder has that name.`, {
        subject,
        cause,
        hint: "check the spelling, and whether the disk is mounted.",
      });
    case "EACCES":
    case "EPERM":
      return new CommandError(
        doing.startsWith("read") ? "not-readable" : "not-writable",
        `Cannot ${doing}. This user does not have permission.`,
        { subject, cause, hint: "change the permissions, or use a folder that you own." },
      );
    case "EEXIST":
      return new CommandError("not-writable", `Cannot ${doing}. A file stands in its place.`, {
        subject,
        cause,
        hint: "move that file away, or choose another folder.",
      });
    case "ENAMETOOLONG":
      return new CommandError(
        // No file can have a name this long.
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

/** For a file to be written where no folder exists. */
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
