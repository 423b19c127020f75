import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";

const STATEMENTS = [
  // A table of its own, so that no query for published torrents finds a removed one.
  sql`create table removed_torrents (
    id text primary key not null,
    infohash_v1 blob,
    infohash_v2 blob,
    state text not null,
    torrent text,
    words text,
    publisher_id text not null,
    removed_by text not null,
    removed_at integer not null
  ) strict`,
  sql`create index removed_torrents_v1 on removed_torrents (infohash_v1)`,
  sql`create index removed_torrents_wire_v2 on removed_torrents (substr(infohash_v2, 1, 20))`,
  sql`create index removed_torrents_due on removed_torrents (removed_at) where state <> 'gone'`,
];

/** Removed torrents: kept for some days, then only known to have existed. */
export const removedTorrents: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    for (const statement of STATEMENTS) await statement.execute(db);
  },
};
