import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";

/** Signed items by which keys find torrents in the DHT (BEP 46). */
export const torrentVersions: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await sql`create table torrent_versions (
      torrent_id text not null,
      public_key blob not null,
      salt blob not null,
      sequence text not null,
      value blob not null,
      signature blob not null,
      primary key (public_key, salt, sequence)
    ) without rowid`.execute(db);
    await sql`create index torrent_versions_torrent on torrent_versions (torrent_id)`.execute(db);
  },
};
