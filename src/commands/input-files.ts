import { folderOf, joinPath, nameOf } from "../base/paths.ts";
import { isPaddingName } from "../metainfo/padding-names.ts";
import type { FileListing, ListedFile, SkippedEntry, UserFiles } from "../ports/user-files.ts";
import { systemCode } from "../base/system-code.ts";
import { CommandError, diskTrouble } from "./command-error.ts";
import { HUB_DATABASE, hubFolderOf } from "./hub-folder.ts";

/**
 * A file or folder to create a torrent of. `root` is absolute, and file paths are relative to it.
 */
export interface InputTree extends Pick<FileListing, "name" | "folder" | "root" | "files"> {
  /** Entries that are left out, and why (MET-24). */
  readonly skipped: readonly SkippedInput[];
}

export interface SkippedInput {
  /** Below `root`. */
  readonly path: string;
  /** Continues the words "is left out: ". */
  readonly why: string;
}

/**
 * Lists the content of a folder, or the one file. Links inside a folder are not followed: they may
 * lead anywhere. A hub's data folder is nobody's content: it is left out, and refused when it is
 * named directly.
 *
 * @param options.output - The file to be written, which is no part of its own content.
 * @throws {CommandError} `not-found`, `not-readable`, `bad-plan` when there is no file.
 */
export async function listInput(
  disk: UserFiles,
  path: string,
  options: { readonly signal: AbortSignal; readonly output?: string | undefined },
): Promise<InputTree> {
  if (path === "") {
    throw new CommandError("bad-plan", "No file or folder is named. The path is empty.", {
      hint: "the path of a file or folder.",
    });
  }
  // Reported before the whole machine is searched.
  if (nameOf(disk.absolute(path)) === "") {
    throw new CommandError("bad-plan", "The root of the file system has no name.", {
      hint: "choose a folder below it.",
    });
  }
  refuseHubFolder(disk, path);
  const listing = await list(disk, path, options.signal);
  const { name, folder, root, skipped } = listing;
  const whyNot = judgeOf(disk, listing, options.output);
  const files: ListedFile[] = [];
  const notContent: SkippedInput[] = [];
  for (const file of listing.files) {
    const why = whyNot(file);
    if (why === undefined) files.push(file);
    else notContent.push({ path: file.path.join("/"), why });
  }
  if (!folder && notContent.length > 0) throw replacesItself(path);
  if (files.length === 0) throw nothingIn(path, folder, skipped);
  return {
    name,
    folder,
    root,
    files,
    skipped: [
      ...skipped.map((entry) => ({ path: entry.path.join("/"), why: WHY_SKIPPED[entry.why] })),
      ...notContent,
    ],
  };
}

/** Strangers would read its keys. */
function refuseHubFolder(disk: UserFiles, path: string): void {
  const place = realPathOf(disk, path);
  const folder = place === undefined ? undefined : hubFolderOf(disk, place);
  if (folder !== undefined) throw inHubFolder(path, folder);
}

/** For a path that is, contains, or lies in a hub's data folder. */
export function inHubFolder(path: string, folder: string): CommandError {
  const what =
    `${path} cannot be published: the data folder of a hub, ${folder}, is not content. ` +
    "It holds keys and passwords.";
  return new CommandError("bad-plan", what, {
    subject: path,
    hint: "a folder of your own, outside of that one. What a hub has published is fetched with everseed get.",
  });
}

function realPathOf(disk: UserFiles, path: string): string | undefined {
  try {
    return disk.real(path);
  } catch (error) {
    // The listing reports the error.
    if (systemCode(error) === undefined) throw error;
    return undefined;
  }
}

/**
 * @returns A function that says why a readable file is not content, to continue "is left out: ".
 */
function judgeOf(
  disk: UserFiles,
  { folder, root }: FileListing,
  output: string | undefined,
): (file: ListedFile) => string | undefined {
  const target = output === undefined ? undefined : realPlace(disk, output);
  const top = disk.real(root);
  return ({ path, length }) => {
    // Compared by name: the walk to the folders below the top followed no link.
    const isOutput =
      target !== undefined && path.at(-1) === nameOf(target) && joinPath(top, ...path) === target;
    if (isOutput) return "the torrent is written to it";
    const isPadding = folder && isPaddingName(path, length);
    return isPadding ? "it is padding that another program stored" : undefined;
  };
}

/** @returns The location of a file, existing or not; `undefined` when its folder cannot be read. */
function realPlace(disk: UserFiles, path: string): string | undefined {
  const absolute = disk.absolute(path);
  try {
    return joinPath(disk.real(folderOf(absolute)), nameOf(absolute));
  } catch (error) {
    // The code that writes there reports the error.
    if (systemCode(error) === undefined) throw error;
    return undefined;
  }
}

function replacesItself(path: string): CommandError {
  return new CommandError("bad-plan", `The torrent of ${path} would be written over it.`, {
    subject: path,
    hint: "another file with -o.",
  });
}

/** For a file that changed and cannot be relied on. */
export function fileChanged(path: string): CommandError {
  return new CommandError("changed", `${path} changed while it was read.`, {
    subject: path,
    hint: "run the same command again when no program writes to it.",
  });
}

async function list(
  disk: UserFiles,
  path: string,
  signal: AbortSignal | undefined,
): Promise<FileListing> {
  try {
    return await disk.list(path, { signal, seal: HUB_DATABASE });
  } catch (error) {
    // Node replaces bytes that are not UTF-8, and then does not find the name.
    if (systemCode(error) === "ENOENT" && disk.absolute(path).includes("\ufffd"))
      throw badName(path);
    throw systemCode(error) === undefined ? error : diskTrouble(error, `read ${path}`, path);
  }
}

const WHY_SKIPPED: Record<SkippedEntry["why"], string> = {
  link: "it is a link",
  special: "it is neither a file nor a folder",
  "made-up": "the kernel generates it when it is read",
  unreadable: "the system does not let this user read it",
  "bad-name": "its name is not UTF-8",
  leftover: "everseed was making it when it was killed",
  sealed: "it is the data folder of a hub, with its keys and passwords",
};

function badName(path: string): CommandError {
  return new CommandError(
    "bad-plan",
    `Cannot read ${path}. Its name, or that of a folder around it, is not UTF-8.`,
    {
      subject: path,
      hint: "rename it: the names in a torrent are UTF-8.",
    },
  );
}

function nothingIn(path: string, folder: boolean, skipped: FileListing["skipped"]): CommandError {
  if (!folder) {
    const isMadeUp = skipped.some(({ why }) => why === "made-up");
    const what = isMadeUp
      ? `${path} cannot be kept: the kernel generates it when it is read.`
      : `${path} is neither a file nor a folder.`;
    return new CommandError("bad-plan", what, { subject: path });
  }
  const unreadable = skipped.find(({ why }) => why === "unreadable");
  if (unreadable) {
    const first = unreadable.path.join("/");
    return new CommandError(
      "not-readable",
      `${path} holds no file that can be read. The system does not let this user read ${first}.`,
      { subject: path, hint: "change the permissions, or run it as the user who owns the files." },
    );
  }
  return new CommandError("bad-plan", `${path} holds no file.`, {
    subject: path,
    hint: "put the files in first; a torrent of nothing cannot be made.",
  });
}
