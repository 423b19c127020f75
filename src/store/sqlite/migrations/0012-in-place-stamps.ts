import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";

const STATEMENTS = [
  // What the files of others looked like when their bytes were last compared with their hashes.
  sql`alter table torrents add column content_stamp text`,
  // They are looked at all the time.
  sql`create index torrents_in_place on torrents (seq) where content_root is not null`,
];

/** Files that are published in place are watched: by their stamps, not by a clock that anybody may set. */
export const inPlaceStamps: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    for (const statement of STATEMENTS) await statement.execute(db);
  },
};
