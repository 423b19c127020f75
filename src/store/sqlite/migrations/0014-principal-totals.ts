import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";

/** The figures of members and devices, by torrent. */
export const principalTotals: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await sql`create table principal_totals (
      kind text not null check (kind in ('member', 'device')),
      id text not null,
      infohash blob not null,
      completed integer not null,
      uploaded integer not null,
      downloaded integer not null,
      seeded_s integer not null,
      primary key (kind, id, infohash)
    ) without rowid`.execute(db);
  },
};
