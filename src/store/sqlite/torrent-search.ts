import { type QueryExecutorProvider, sql } from "kysely";
import { addClues } from "./search-clues.ts";
import { wordsOf } from "./search-expression.ts";
import { partFor } from "./search-parts.ts";

/** New words of one torrent that are also found when mistyped; the title's come first. */
const GUESSED_WORDS_MAX = 1_000;

/**
 * Adds a torrent to the search.
 *
 * @param text - File names, description.
 */
export async function addSearchEntry(
  db: QueryExecutorProvider,
  torrent: { readonly seq: number; readonly name: string },
  text: string,
): Promise<void> {
  const part = sql.table(await partFor(db, torrent.seq));
  await sql`insert into ${part} (rowid, name, words)
    values (${torrent.seq}, ${torrent.name}, ${text})`.execute(db);
  const words = new Set(wordsOf(`${torrent.name} ${text}`));
  await addClues(db, [...words].slice(0, GUESSED_WORDS_MAX));
}

export async function deleteSearchEntry(db: QueryExecutorProvider, seq: number): Promise<void> {
  const part = sql.table(await partFor(db, seq));
  await sql`delete from ${part} where rowid = ${seq}`.execute(db);
}
