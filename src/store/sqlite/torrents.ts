import type { DatabaseSync, StatementSync } from "node:sqlite";
import { type Kysely, sql } from "kysely";
import type { Infohashes } from "../../base/infohash.ts";
import { finish, oneStep, type RunWork, type Work } from "../../base/work.ts";
import { nearWords } from "./search-clues.ts";
import { searchExpression, searchWords } from "./search-expression.ts";
import { SearchParts } from "./search-parts.ts";
import type { Schema } from "./schema.ts";
import {
  type CatalogueTotals,
  type CheckedTorrent,
  type FoundTorrents,
  MATCHES_MAX,
  type NewTorrent,
  type TorrentRow,
  type TorrentSearch,
  type TorrentTable,
} from "../torrents.ts";
import { addSearchEntry, deleteSearchEntry } from "./torrent-search.ts";

const NOTHING: FoundTorrents = { total: 0, more: false, rows: [], similar: false };

/** The catalogue with its full-text index. */
export class SqliteTorrentTable implements TorrentTable {
  readonly #db: Kysely<Schema>;
  readonly #allInfohashes: StatementSync;
  readonly #publicInfohashes: StatementSync;
  readonly #parts: SearchParts;
  readonly #page: StatementSync;
  #totals: CatalogueTotals | undefined;
  #revision = 0;

  constructor(db: Kysely<Schema>, database: DatabaseSync) {
    this.#db = db;
    this.#allInfohashes = database.prepare(
      "select infohash_v1, infohash_v2 from torrents order by seq",
    );
    this.#publicInfohashes = database.prepare(
      "select infohash_v1, infohash_v2 from torrents where private = 0 order by seq",
    );
    this.#parts = new SearchParts(database);
    this.#page = database.prepare("select seq from torrents order by seq desc limit ? offset ?");
  }

  /**
   * Adds a torrent and, in the same transaction, marks its draft as published.
   *
   * @param words - Further search words: file names, comment.
   */
  async insert(
    torrent: NewTorrent,
    options: { words: string; draftId?: string | undefined },
  ): Promise<void> {
    await this.#db.transaction().execute(async (transaction) => {
      const { seq } = await transaction
        .insertInto("torrents")
        .values(torrent)
        .returning("seq")
        .executeTakeFirstOrThrow();
      await addSearchEntry(transaction, { seq, name: torrent.name }, options.words);
      if (options.draftId === undefined) return;
      await transaction
        .updateTable("drafts")
        .set({ state: "published", problem: null, torrent_id: torrent.id, declaration: null })
        .where("id", "=", options.draftId)
        .execute();
    });
    this.handleChange({ torrents: 1, bytes: torrent.size });
  }

  /**
   * Changes a torrent's title and description, in one step.
   *
   * @param words - Further search words: file names, description.
   * @returns False when there is no such torrent.
   */
  async edit(
    id: string,
    texts: { readonly name: string; readonly comment: string | null },
    words: string,
  ): Promise<boolean> {
    const edited = await this.#db.transaction().execute(async (transaction) => {
      const row = await transaction
        .updateTable("torrents")
        .set({ name: texts.name, comment: texts.comment })
        .where("id", "=", id)
        .returning("seq")
        .executeTakeFirst();
      if (!row) return false;
      await deleteSearchEntry(transaction, row.seq);
      await addSearchEntry(transaction, { seq: row.seq, name: texts.name }, words);
      return true;
    });
    if (edited) this.handleChange({ torrents: 0, bytes: 0 });
    return edited;
  }

  /** Rises with every change that a list or a page of the catalogue shows. */
  get revision(): number {
    return this.#revision;
  }

  /** The catalogue has changed by this many torrents and bytes. */
  handleChange(more: CatalogueTotals): void {
    this.#revision += 1;
    if (!this.#totals) return;
    const { torrents, bytes } = this.#totals;
    this.#totals = { torrents: torrents + more.torrents, bytes: bytes + more.bytes };
  }

  /** Tells whether a torrent keeps its content in this folder. */
  async holdsContent(contentPath: string): Promise<boolean> {
    const row = await this.#db
      .selectFrom("torrents")
      .select("seq")
      .where("content_path", "=", contentPath)
      .executeTakeFirst();
    return row !== undefined;
  }

  async find(id: string): Promise<TorrentRow | undefined> {
    return this.#rows().where("torrents.id", "=", id).executeTakeFirst();
  }

  /** @param wireInfohash - 20 bytes: v1, or v2 cut. */
  async findByWire(wireInfohash: Uint8Array): Promise<TorrentRow | undefined> {
    const v1 = await this.#rows().where("infohash_v1", "=", wireInfohash).executeTakeFirst();
    if (v1) return v1;
    return this.#rows()
      .where(sql`substr(infohash_v2, 1, 20)`, "=", wireInfohash)
      .executeTakeFirst();
  }

  *allInfohashes(): Iterable<Infohashes> {
    for (const row of this.#allInfohashes.iterate()) yield infohashesIn(row);
  }

  *publicInfohashes(): Iterable<Infohashes> {
    for (const row of this.#publicInfohashes.iterate()) yield infohashesIn(row);
  }

  /** Finds torrents with all the words; if there are none, torrents with similar words. */
  async search(search: TorrentSearch, run: RunWork = runAtOnce): Promise<FoundTorrents> {
    const { query, limit, offset } = search;
    const words = searchWords(query);
    if (words.length === 0) {
      // There was a query, but nothing in it can be searched for.
      if (query.trim() !== "") return NOTHING;
      const seqs = await run(oneStep(() => seqsOf(this.#page.all(limit, offset))));
      const { torrents: total } = await this.totals();
      return { total, more: false, rows: await this.#rowsOf(seqs), similar: false };
    }
    const found = await this.#matching(
      words.map((word) => [word]),
      { search, run },
    );
    if (found.total > 0) return found;
    const known = await run(this.#findKnown(words));
    const spellings = await Promise.all(
      words.map(async (word, index) => (known[index] ? [word] : nearWords(this.#db, word))),
    );
    // Every word exists, or one has no similar word: guessing would find nothing either.
    if (known.every(Boolean)) return NOTHING;
    if (spellings.some((nearly) => nearly.length === 0)) return NOTHING;
    return { ...(await this.#matching(spellings, { search, run })), similar: true };
  }

  async #matching(
    spellings: readonly (readonly string[])[],
    { search, run }: { readonly search: TorrentSearch; readonly run: RunWork },
  ): Promise<FoundTorrents> {
    const expression = searchExpression(spellings);
    const seqs = await run(this.#parts.newestMatches(expression, MATCHES_MAX + 1));
    const total = Math.min(seqs.length, MATCHES_MAX);
    const shown = seqs.slice(search.offset, Math.min(search.offset + search.limit, total));
    const rows = await this.#rowsOf(shown);
    return { total, more: seqs.length > total, rows, similar: false };
  }

  /** Tells for each word whether any torrent has it. */
  *#findKnown(words: readonly string[]): Work<boolean[]> {
    const known: boolean[] = [];
    for (const word of words) {
      const matches = yield* this.#parts.newestMatches(searchExpression([[word]]), 1);
      known.push(matches.length > 0);
      yield;
    }
    return known;
  }

  /** Newest first. Only the rows of the page are read. */
  async #rowsOf(seqs: readonly number[]): Promise<TorrentRow[]> {
    if (seqs.length === 0) return [];
    return this.#rows().where("seq", "in", seqs).orderBy("seq", "desc").execute();
  }

  async totals(): Promise<CatalogueTotals> {
    if (this.#totals) return this.#totals;
    const row = await this.#db
      .selectFrom("torrents")
      .select((from) => [
        from.fn.countAll<number>().as("torrents"),
        from.fn.sum<number | null>("size").as("bytes"),
      ])
      .executeTakeFirstOrThrow();
    this.#totals = { torrents: row.torrents, bytes: row.bytes ?? 0 };
    return this.#totals;
  }

  /** The torrent that was published next after `seq`; 0 begins with the first. */
  async after(seq: number): Promise<TorrentRow | undefined> {
    return this.#rows().where("seq", ">", seq).orderBy("seq").limit(1).executeTakeFirst();
  }

  async afterChecked(
    last: CheckedTorrent | undefined,
    beforeMs: number,
  ): Promise<TorrentRow | undefined> {
    const { checked_at: checkedAt, seq } = last ?? { checked_at: Number.MIN_SAFE_INTEGER, seq: 0 };
    return this.#rows()
      .where(sql<boolean>`(checked_at, seq) > (${checkedAt}, ${seq})`)
      .where("checked_at", "<", beforeMs)
      .orderBy("checked_at")
      .orderBy("seq")
      .limit(1)
      .executeTakeFirst();
  }

  /** From now on its content is in our own folder. */
  async keepContent(id: string): Promise<void> {
    await this.#db
      .updateTable("torrents")
      .set({ content_root: null, content_stamp: null })
      .where("id", "=", id)
      .execute();
  }

  async inPlaceAfter(seq: number, limit: number): Promise<TorrentRow[]> {
    return this.#rows()
      .where("seq", ">", seq)
      .where("content_root", "is not", null)
      .orderBy("seq")
      .limit(limit)
      .execute();
  }

  async setStamp(id: string, stamp: string): Promise<void> {
    await this.#db
      .updateTable("torrents")
      .set({ content_stamp: stamp })
      .where("id", "=", id)
      .execute();
  }

  async setChecked(id: string, wallMs: number, stamp: string | null): Promise<void> {
    await this.#db
      .updateTable("torrents")
      .set({ checked_at: wallMs, content_stamp: stamp })
      .where("id", "=", id)
      .execute();
  }

  /** @param trackers - In the format of the column. */
  async setTrackers(id: string, trackers: string): Promise<void> {
    await this.#db.updateTable("torrents").set({ trackers }).where("id", "=", id).execute();
  }

  #rows() {
    return this.#db
      .selectFrom("torrents")
      .leftJoin("user", "user.id", "torrents.publisher_id")
      .selectAll("torrents")
      .select("user.name as publisher");
  }
}

function infohashesIn({ infohash_v1: v1, infohash_v2: v2 }: Record<string, unknown>): Infohashes {
  return {
    ...(v1 instanceof Uint8Array && { v1 }),
    ...(v2 instanceof Uint8Array && { v2 }),
  };
}

async function runAtOnce<Result>(work: Work<Result>): Promise<Result> {
  return finish(work);
}

function seqsOf(rows: readonly Record<string, unknown>[]): number[] {
  return rows.map(({ seq }) => Number(seq));
}
