import type { TorrentInfo } from "../metainfo/metainfo.ts";

/** Characters of file names and description that the search covers. */
const CHARACTERS_MAX = 65_536;

/** The search words of a torrent besides its title. */
export function searchText(
  comment: string | null,
  info: Pick<TorrentInfo, "name" | "files">,
): string {
  const lines = [comment ?? "", info.name];
  let characters = 0;
  for (const { path, pad } of info.files) {
    if (pad || characters > CHARACTERS_MAX) continue;
    const line = path.join(" ");
    lines.push(line);
    characters += line.length;
  }
  return lines.join("\n").slice(0, CHARACTERS_MAX);
}
