import type { TorrentInfo } from "../metainfo/metainfo.ts";

/** Characters of file names and description that a torrent is found by. */
const CHARACTERS_MAX = 65_536;

/** What a torrent is found by besides its title. */
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
