import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";

const STATEMENTS = [
  // The look of the files in an owner's folder when they were last compared with their hashes.
  sql`alter table torrents add column content_stamp text`,
  // These rows are read all the time.
  sql`create index torrents_in_place on torrents (seq) where content_root is not null`,
];

/** Watches files published in place by their stamps, not by a clock that anybody may set. */
export const inPlaceStamps: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    for (const statement of STATEMENTS) await statement.execute(db);
  },
};
