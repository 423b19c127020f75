import { basename, resolve } from "node:path";
import { type FileListing, listFiles, type SkippedEntry } from "../platform/walk-files.ts";
import { DaemonError, diskTrouble, systemCode } from "./daemon-error.ts";

/** A file or folder that a torrent is to be made of. `root` is absolute, paths of files are below it. */
export interface InputTree extends Pick<FileListing, "name" | "folder" | "root" | "files"> {
  /** What is not in it, and why (MET-24). */
  readonly skipped: readonly SkippedInput[];
}

export interface SkippedInput {
  /** Below `root`. */
  readonly path: string;
  /** In words that follow "is left out: ". */
  readonly why: string;
}

/**
 * Lists what is in a folder, or the one file. Links inside a folder are not followed: they may lead
 * anywhere.
 *
 * @throws {DaemonError} `not-found`, `not-readable`, `bad-plan` when there is no file.
 */
export async function listInput(path: string, signal?: AbortSignal): Promise<InputTree> {
  if (path === "") {
    throw new DaemonError("bad-plan", "Nothing is named. What was given is empty.", {
      hint: "the path of a file or folder.",
    });
  }
  // Said before all of the machine is looked at.
  if (basename(resolve(path)) === "") {
    throw new DaemonError("bad-plan", "The root of the file system has no name.", {
      hint: "choose a folder below it.",
    });
  }
  const { name, folder, root, files, skipped } = await list(path, signal);
  if (files.length === 0) throw nothingIn(path, folder, skipped);
  return {
    name,
    folder,
    root,
    files,
    skipped: skipped.map((entry) => ({ path: entry.path.join("/"), why: WHY_SKIPPED[entry.why] })),
  };
}

/** For a file that is not to be relied on. */
export function fileChanged(path: string): DaemonError {
  return new DaemonError("changed", `${path} changed while it was read.`, {
    subject: path,
    hint: "the same again when nobody writes to it.",
  });
}

async function list(path: string, signal: AbortSignal | undefined): Promise<FileListing> {
  try {
    return await listFiles(path, signal);
  } catch (error) {
    throw systemCode(error) === undefined ? error : diskTrouble(error, `read ${path}`, path);
  }
}

const WHY_SKIPPED: Record<SkippedEntry["why"], string> = {
  link: "it is a link",
  special: "it is neither a file nor a folder",
  unreadable: "the system does not let this user read it",
  "bad-name": "its name is not UTF-8",
  leftover: "everseed was making it when it was killed",
};

function nothingIn(path: string, folder: boolean, skipped: FileListing["skipped"]): DaemonError {
  if (!folder) {
    const what = `${path} is neither a file nor a folder.`;
    return new DaemonError("bad-plan", what, { subject: path });
  }
  const unreadable = skipped.find(({ why }) => why === "unreadable");
  if (unreadable) {
    const first = unreadable.path.join("/");
    return new DaemonError(
      "not-readable",
      `${path} holds no file that can be read. The system does not let this user read ${first}.`,
      { subject: path, hint: "change the permissions, or run it as the user who owns the files." },
    );
  }
  return new DaemonError("bad-plan", `${path} holds no file.`, {
    subject: path,
    hint: "put the files in first; a torrent of nothing cannot be made.",
  });
}
