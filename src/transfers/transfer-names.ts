import { latin1OfUtf8 } from "../base/bytes.ts";
import { unfinishedPath, unfinishedSuffix } from "../base/unfinished-names.ts";
import type { FileNames } from "../engine/file-names.ts";
import type { TorrentInfo } from "../metainfo/metainfo.ts";
import { cleanComponent, foldName } from "../metainfo/safe-path.ts";
import { placedInfo } from "./placed-info.ts";
import { TransfersError } from "./transfers-error.ts";

/** Files and folders of one transfer with a name of their owner. */
const NAMES_MAX = 10_000;

/**
 * Renames a file or a folder of a torrent.
 *
 * @param path - Its path now, components joined by "/".
 * @param name - The new name of its last part.
 * @returns The names after that.
 * @throws {TransfersError} `not-found`; `exists` when something beside it has the name; `bad-choice` when that is no
 *   name that every system takes.
 */
export function withRenamed(
  info: TorrentInfo,
  names: FileNames = {},
  { path, name }: { readonly path: string; readonly name: string },
): FileNames {
  const parts = path.split("/");
  demandUsable(name, parts.length);
  const own = placedInfo(info, undefined).files;
  const { files } = placedInfo(info, names);
  const isBelow = (file: readonly string[]): boolean =>
    parts.every((part, depth) => file[depth] === part);
  const found = files.findIndex((file) => !file.pad && isBelow(file.path));
  if (found < 0) throw new TransfersError("not-found", `It has no file or folder ${path}.`);
  const last = parts.length - 1;
  const folder = parts.slice(0, last);
  const folded = foldName(name);
  for (const file of files) {
    if (file.pad || isBelow(file.path)) continue;
    if (!folder.every((part, depth) => file.path[depth] === part)) continue;
    const beside = file.path[last]!;
    if (foldName(beside) !== folded) continue;
    throw new TransfersError("exists", `${[...folder, beside].join("/")} is there already.`);
  }
  const ownPath = own[found]!.path.slice(0, last + 1);
  const { [ownPath.join("/")]: _, ...others } = names;
  const after =
    ownPath[last] === name ? others : Object.assign(others, { [ownPath.join("/")]: name });
  if (Object.keys(after).length > NAMES_MAX) {
    const why = `No more than ${NAMES_MAX} files and folders of a torrent can be renamed.`;
    throw new TransfersError("bad-choice", why);
  }
  demandRoom(placedInfo(info, after), name);
  return after;
}

/** The rules for names of torrents hold for those of owners too. */
function demandUsable(name: string, depth: number): void {
  const clean = cleanComponent(latin1OfUtf8(name));
  if (clean !== name) {
    const why = `${JSON.stringify(name)} is no name for a file on every system; ${JSON.stringify(clean)} is.`;
    throw new TransfersError("bad-choice", why);
  }
  if (depth > 1 || !name.startsWith(".")) return;
  const why = `${name} would be hidden among the settings of a home folder: leave out the dot.`;
  throw new TransfersError("bad-choice", why);
}

/** Unfinished files have a suffix. */
function demandRoom({ files }: TorrentInfo, name: string): void {
  const suffix = unfinishedSuffix(files.map(({ path }) => path.join("/")));
  if (unfinishedPath(name, suffix) !== undefined) return;
  throw new TransfersError("bad-choice", `${name} is too long: it leaves no room for ${suffix}.`);
}
