import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";

const STATEMENTS = [
  // Torrents that are fetched from their swarms and then published.
  sql`create table fetches (
    id text primary key not null,
    owner_id text not null,
    magnet text,
    infohash blob not null unique,
    name text not null,
    problem text,
    torrent_id text,
    created_at integer not null
  ) strict`,
  // Content outside of the data folder, in its owner's folder.
  sql`alter table torrents add column content_root text`,
];

/** Torrents from elsewhere: from other peers, or from a folder of this machine. */
export const fetches: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    for (const statement of STATEMENTS) await statement.execute(db);
  },
};
