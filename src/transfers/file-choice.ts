import { fitsPattern, type MatchesGlob } from "../base/file-pattern.ts";
import type { TorrentInfo } from "../metainfo/metainfo.ts";
import type { TransferChoices } from "./transfer-choices.ts";

/**
 * Turns the patterns of a choice into ranges of files, once it is known which files there are. A choice without patterns
 * is returned as it is.
 *
 * @returns `undefined` when no file fits any of them.
 */
export function choiceOfFiles(
  { patterns, ...choices }: TransferChoices,
  { files }: Pick<TorrentInfo, "files">,
  matches: MatchesGlob,
): TransferChoices | undefined {
  if (patterns === undefined) return choices;
  const select: (readonly [first: number, last: number])[] = [];
  for (const [index, { path, pad }] of files.entries()) {
    if (pad || !patterns.some((pattern) => fitsPattern(path.join("/"), pattern, matches))) continue;
    const before = select.at(-1);
    // A range for each file of a hundred thousand would fill the row.
    if (before && before[1] === index - 1) select[select.length - 1] = [before[0], index];
    else select.push([index, index]);
  }
  return select.length === 0 ? undefined : { ...choices, select };
}
