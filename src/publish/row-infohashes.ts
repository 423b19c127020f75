import type { Infohashes } from "../base/infohash.ts";
import type { TorrentRow } from "../store/torrents.ts";

/** All infohashes of a published torrent. */
export function infohashesOf(row: Pick<TorrentRow, "infohash_v1" | "infohash_v2">): Infohashes {
  return { v1: row.infohash_v1 ?? undefined, v2: row.infohash_v2 ?? undefined };
}
