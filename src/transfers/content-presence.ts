import { safeJoin } from "../base/safe-join.ts";
import { unfinishedPath, unfinishedSuffix } from "../base/unfinished-names.ts";
import type { ResumeState } from "../engine/session-contract.ts";
import type { TorrentInfo } from "../metainfo/metainfo.ts";
import type { FolderFiles } from "../ports/user-files.ts";

/** Files that are looked for: with none of them, the rest is not looked for any more. */
const LOOKS_MAX = 16;

/**
 * Whether any file of a transfer that had some is where it was. With none of them its disk may be missing: what is
 * fetched then would land in the empty folder below the mount, and fill the wrong disk (STO-5).
 *
 * @param info - With the paths that its files have on disk (`placedInfo`).
 * @param hadFile - Whether a file was there, by its index.
 */
export async function isAnyThere(
  files: Pick<FolderFiles, "stat">,
  info: TorrentInfo,
  { root, hadFile }: { readonly root: string; readonly hadFile: (index: number) => boolean },
): Promise<boolean> {
  const suffix = unfinishedSuffix(info.files.map((file) => file.path.join("/")));
  let looks = 0;
  for (const [index, { path, length, pad, linkTarget }] of info.files.entries()) {
    if (pad || linkTarget || length === 0 || !hadFile(index)) continue;
    if (looks === LOOKS_MAX) return false;
    looks += 1;
    const place = safeJoin(root, path);
    if (await files.stat(place)) return true;
    const unfinished = unfinishedPath(place, suffix);
    if (unfinished !== undefined && (await files.stat(unfinished))) return true;
  }
  return looks === 0;
}

/** Which files were there when a resume was saved. */
export function hadByResume({ stamps }: ResumeState): (index: number) => boolean {
  return (index) => (stamps[index]?.size ?? -1) >= 0;
}
