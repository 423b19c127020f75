import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";

/** Bytes that peers reported, beside the downloads they finished. */
export const swarmBytes: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await sql`alter table swarm_totals add column uploaded integer not null default 0`.execute(db);
    await sql`alter table swarm_totals add column downloaded integer not null default 0`.execute(
      db,
    );
  },
};
