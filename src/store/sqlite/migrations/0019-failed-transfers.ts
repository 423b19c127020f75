import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";

const STATEMENTS = [
  // Failed transfers are looked at again and again, and may be a few of very many.
  sql`create index transfers_failed on transfers (seq) where failure is not null`,
  sql`alter table transfers add column active_seeded integer not null default 0`,
];

/** What goes on by itself, and what is idle. */
export const failedTransfers: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    for (const statement of STATEMENTS) await statement.execute(db);
  },
};
