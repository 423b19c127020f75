import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";

const STATEMENTS = [
  // The torrents of a hub in the order of their last full check.
  sql`create index torrents_checked on torrents (checked_at, seq)`,
  // What is asked about a hundred thousand transfers while people wait: how many there are of each kind, the ends of the
  // queue, and the pages of a filter.
  sql`create index transfers_kinds on transfers (stopped, finished_at)`,
  sql`create index transfers_positions on transfers (position)`,
  sql`create index transfers_labels on transfers (label, seq) where label is not null`,
  sql`create index transfers_finished on transfers (seq) where finished_at is not null`,
  sql`create index transfers_unfinished on transfers (seq) where finished_at is null`,
  sql`create index transfers_stopped on transfers (seq) where stopped = 1`,
];

export const longLists: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    for (const statement of STATEMENTS) await statement.execute(db);
  },
};
