import { infohashKey } from "../base/infohash.ts";
import type { TorrentInfo } from "../metainfo/metainfo.ts";

/** Where a file is prepared that a transfer takes from another one: a name in its folder that fits any disk. */
export function takingPath(folder: string, { infohashes }: TorrentInfo): string {
  const id = infohashKey(infohashes.v1 ?? infohashes.v2!);
  return `${folder}/.everseed-taking-${id.slice(0, 16)}`;
}
