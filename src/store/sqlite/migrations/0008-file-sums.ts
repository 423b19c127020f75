import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";

/** Known CRC-32 sums of files, for archives that are read from the middle. */
export const fileSums: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await sql`create table file_sums (
      torrent_id text primary key not null references torrents (id) on delete cascade,
      sums blob not null
    ) strict, without rowid`.execute(db);
  },
};
