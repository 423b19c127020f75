import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";

const STATEMENTS = [
  sql`create table search_parts (first_seq integer primary key not null) strict`,
  // Existing entries stay in one part: their texts are not stored, so it cannot be split.
  sql`insert into search_parts (first_seq) values (0)`,
];

/** The word index has parts, so that no step of a search grows with the catalogue (`search-parts.ts`). */
export const searchParts: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    for (const statement of STATEMENTS) await statement.execute(db);
  },
};
