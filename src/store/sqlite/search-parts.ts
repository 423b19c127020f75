import type { DatabaseSync, StatementSync } from "node:sqlite";
import { type QueryExecutorProvider, sql } from "kysely";
import type { Work } from "../../base/work.ts";

/**
 * Torrents whose words are in one part of the index. SQLite scans all of them for each word of a search, which takes
 * some 3 ms for five words that every torrent has.
 */
export const TORRENTS_PER_PART = 10_000;

/** @param firstSeq - The first torrent whose words may be in this part. @returns The name of its table. */
function tableOf(firstSeq: number): string {
  // The first table is older than the parts.
  return firstSeq === 0 ? "torrents_search" : `search_part_${firstSeq}`;
}

/** @returns The part for a torrent of this number; a full part is followed by a new one, for newer torrents only. */
export async function partFor(db: QueryExecutorProvider, seq: number): Promise<string> {
  const { rows } = await sql<{ firstSeq: number; newest: number }>`
    select first_seq as firstSeq, (select seq from sqlite_sequence where name = 'torrents') as newest
    from search_parts where first_seq <= ${seq} order by first_seq desc limit 1`.execute(db);
  const { firstSeq, newest } = rows[0]!;
  if (seq - firstSeq < TORRENTS_PER_PART || seq < newest) return tableOf(firstSeq);
  const table = tableOf(seq);
  await sql`create virtual table ${sql.table(table)} using fts5(
    name, words, content = '', contentless_delete = 1, prefix = '1 2 3',
    tokenize = "unicode61 remove_diacritics 2"
  )`.execute(db);
  await sql`insert into search_parts (first_seq) values (${seq})`.execute(db);
  return table;
}

/** Searches one part of the index after the other, so that a step does not grow with the catalogue (HUB-43). */
export class SearchParts {
  readonly #database: DatabaseSync;
  #olderPart: StatementSync | undefined;
  readonly #newestMatches = new Map<number, StatementSync>();

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  /** @returns The numbers of the newest matching torrents, newest first. */
  *newestMatches(expression: string, limit: number): Work<number[]> {
    const seqs: number[] = [];
    for (let part = this.#partBefore(Number.MAX_SAFE_INTEGER); part !== undefined;) {
      const matches = this.#matchesIn(part).all(expression, limit - seqs.length);
      for (const { seq } of matches) seqs.push(Number(seq));
      if (seqs.length >= limit) break;
      part = this.#partBefore(part);
      yield;
    }
    return seqs;
  }

  #partBefore(seq: number): number | undefined {
    this.#olderPart ??= this.#database.prepare(
      "select first_seq from search_parts where first_seq < ? order by first_seq desc limit 1",
    );
    const row = this.#olderPart.get(seq);
    return row && Number(row["first_seq"]);
  }

  #matchesIn(firstSeq: number): StatementSync {
    const known = this.#newestMatches.get(firstSeq);
    if (known) return known;
    const table = tableOf(firstSeq);
    // The index returns its numbers in order, so a limit ends the search early.
    const matches = this.#database.prepare(
      `select rowid as seq from ${table} where ${table} match ? order by rowid desc limit ?`,
    );
    this.#newestMatches.set(firstSeq, matches);
    return matches;
  }
}
