import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";
import { addClues } from "../search-clues.ts";

const STATEMENTS = [
  // Each word under all spellings with one letter dropped.
  sql`create table search_clues (
    clue text not null,
    word text not null,
    primary key (clue, word)
  ) strict, without rowid`,
  // A narrow index, so that the last page of a long catalogue needs few reads.
  sql`create index torrents_newest on torrents (seq)`,
  sql`create virtual table temp.search_words using fts5vocab(main, torrents_search, row)`,
];
const WORDS_PER_STEP = 10_000;

/** Finds mistyped words, also those of existing torrents. */
export const searchClues: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    for (const statement of STATEMENTS) await statement.execute(db);
    let last = "";
    for (;;) {
      const { rows } = await sql<{ term: string }>`
        select term from temp.search_words where term > ${last} order by term limit ${WORDS_PER_STEP}
      `.execute(db);
      if (rows.length === 0) break;
      const words = rows.map(({ term }) => term);
      await addClues(db, words);
      last = words.at(-1)!;
    }
    await sql`drop table temp.search_words`.execute(db);
  },
};
