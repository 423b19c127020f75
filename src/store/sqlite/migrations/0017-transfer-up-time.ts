import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";

/** Seeding time runs with the time that the node runs: a sleeping seed need not be written. */
export const transferUpTime: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await sql`alter table transfers add column seeded_until integer not null default 0`.execute(db);
  },
};
