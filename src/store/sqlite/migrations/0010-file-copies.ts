import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";

const STATEMENTS = [
  sql`drop table shared_files`,
  sql`create table file_copies (
    path text primary key not null,
    size integer not null,
    sample blob not null
  ) strict, without rowid`,
  sql`create index file_copies_alike on file_copies (size, sample)`,
];

/**
 * Finds equal files by size and a sample, then byte by byte; this includes files of v1 torrents, which have no root.
 */
export const fileCopies: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    for (const statement of STATEMENTS) await statement.execute(db);
  },
};
