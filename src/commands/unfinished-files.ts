import { safeJoin } from "../base/safe-join.ts";
import { unfinishedPath, unfinishedSuffix } from "../base/unfinished-names.ts";
import type { ResumeState } from "../engine/session-contract.ts";
import type { TorrentInfo } from "../metainfo/metainfo.ts";
import type { UserFiles } from "../ports/user-files.ts";
import { diskTrouble } from "./command-error.ts";
import { entryFactsOf } from "./path-facts.ts";

/** The suffix of this torrent's unfinished files. */
export function suffixOf(info: TorrentInfo): string {
  return unfinishedSuffix(info.files.map((file) => file.path.join("/")));
}

/**
 * Where a file of a torrent is, or would be written.
 *
 * @param own - Its final path, absolute.
 * @param suffix - The suffix of unfinished files.
 * @returns An absolute path, and whether it is an existing file under its unfinished name.
 */
export function placeOnDisk(
  files: UserFiles,
  own: string,
  suffix: string,
): { readonly path: string; readonly unfinished: boolean } {
  const other = unfinishedPath(own, suffix);
  const unfinished =
    other !== undefined &&
    entryFactsOf(files, own) === undefined &&
    entryFactsOf(files, other) !== undefined;
  return { path: unfinished ? other : own, unfinished };
}

/**
 * Gives the files of an unfinished download their final names, for a user who wants those from now
 * on.
 *
 * @param download.resume - Says which files are ours: others may have left files with the same
 * names.
 * @throws {CommandError} The disk's refusal.
 */
export function takeFinalNames(
  files: UserFiles,
  download: { readonly info: TorrentInfo; readonly root: string; readonly resume: ResumeState },
): void {
  const { info, root, resume } = download;
  const suffix = suffixOf(info);
  for (const [index, file] of info.files.entries()) {
    const inode = resume.stamps[index]?.inode;
    if (file.pad || file.length === 0 || inode === undefined) continue;
    const own = safeJoin(root, file.path);
    const { path, unfinished } = placeOnDisk(files, own, suffix);
    if (!unfinished) continue;
    try {
      if (files.lookAtEntry(path)?.inode === inode) files.rename(path, own);
    } catch (error) {
      throw diskTrouble(error, `rename ${path}`, path);
    }
  }
}
