import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";

const STATEMENTS = [
  sql`create table transfers (
    seq integer primary key not null,
    id text not null unique,
    infohash_v1 blob,
    infohash_v2 blob,
    name text not null,
    root text not null,
    magnet text,
    trackers text not null,
    private integer not null,
    stopped integer not null,
    pause text,
    failure text,
    chore text,
    finished_at integer,
    whole integer not null,
    size integer,
    done integer not null,
    downloaded integer not null,
    uploaded integer not null,
    seeded_ms integer not null,
    label text,
    position integer not null,
    choices text not null,
    added_at integer not null,
    active_at integer not null,
    check (infohash_v1 is not null or infohash_v2 is not null)
  ) strict`,
  sql`create unique index transfers_v1 on transfers (infohash_v1) where infohash_v1 is not null`,
  sql`create unique index transfers_v2 on transfers (substr(infohash_v2, 1, 20)) where infohash_v2 is not null`,
  sql`create index transfers_name on transfers (name)`,
  sql`create index transfers_chores on transfers (seq) where chore is not null`,
  // What a start reads: downloads in the order of the queue, and seeds in the order of their turns.
  sql`create index transfers_to_fetch on transfers (position)
    where finished_at is null and stopped = 0 and failure is null and chore is null`,
  sql`create index transfers_seeds on transfers (seq)
    where finished_at is not null and stopped = 0 and failure is null and chore is null`,
  sql`create index transfers_busy on transfers (active_at)
    where finished_at is not null and stopped = 0 and failure is null and chore is null`,
];

/** The torrents that a node keeps for its owner. */
export const transfers: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    for (const statement of STATEMENTS) await statement.execute(db);
  },
};
