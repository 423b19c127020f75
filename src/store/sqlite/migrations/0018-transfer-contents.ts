import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";

const STATEMENTS = [
  sql`create table transfer_contents (
    key blob not null,
    transfer text not null,
    file integer not null,
    primary key (key, transfer, file)
  ) strict, without rowid`,
  sql`create index transfer_contents_transfer on transfer_contents (transfer)`,
];

/** The files of finished transfers, by their hashes. */
export const transferContents: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    for (const statement of STATEMENTS) await statement.execute(db);
  },
};
