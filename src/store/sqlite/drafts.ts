import type { Kysely } from "kysely";
import type { DraftRow, DraftTable, NewDraft } from "../drafts.ts";
import type { Schema } from "./schema.ts";

const COLUMNS = [
  "id",
  "owner_id",
  "digest",
  "name",
  "folder",
  "kind",
  "size",
  "file_count",
  "piece_size",
  "private",
  "durable",
  "state",
  "problem",
  "torrent_id",
  "created_at",
  "touched_at",
] as const;

export class SqliteDraftTable implements DraftTable {
  readonly #db: Kysely<Schema>;

  constructor(db: Kysely<Schema>) {
    this.#db = db;
  }

  async insert(draft: NewDraft): Promise<DraftRow> {
    return this.#db
      .insertInto("drafts")
      .values({ ...draft, durable: 0, state: "uploading", problem: null, torrent_id: null })
      .returning(COLUMNS)
      .executeTakeFirstOrThrow();
  }

  async find(id: string): Promise<DraftRow | undefined> {
    return this.#db.selectFrom("drafts").select(COLUMNS).where("id", "=", id).executeTakeFirst();
  }

  /** What was declared, as JSON; null when the draft has ended. */
  async declaration(id: string): Promise<string | null> {
    const row = await this.#db
      .selectFrom("drafts")
      .select("declaration")
      .where("id", "=", id)
      .executeTakeFirst();
    return row?.declaration ?? null;
  }

  /** The owner's unfinished draft with the same declaration. */
  async findOpen(ownerId: string, digest: Uint8Array): Promise<DraftRow | undefined> {
    return this.#db
      .selectFrom("drafts")
      .select(COLUMNS)
      .where("owner_id", "=", ownerId)
      .where("digest", "=", digest)
      .where("state", "<>", "published")
      .executeTakeFirst();
  }

  /** Unfinished drafts, newest first. */
  async listOpen(ownerId: string): Promise<DraftRow[]> {
    return this.#db
      .selectFrom("drafts")
      .select(COLUMNS)
      .where("owner_id", "=", ownerId)
      .where("state", "<>", "published")
      .orderBy("created_at", "desc")
      .execute();
  }

  /** Ids of unfinished drafts that nobody touched since `beforeMs`. */
  async listAbandoned(beforeMs: number): Promise<string[]> {
    const rows = await this.#db
      .selectFrom("drafts")
      .select("id")
      .where("state", "<>", "published")
      .where("touched_at", "<", beforeMs)
      .execute();
    return rows.map((row) => row.id);
  }

  /** Ids of all unfinished drafts. */
  async listOpenIds(): Promise<string[]> {
    const rows = await this.#db
      .selectFrom("drafts")
      .select("id")
      .where("state", "<>", "published")
      .execute();
    return rows.map((row) => row.id);
  }

  /** How many unfinished drafts somebody has, and the bytes they are going to take. */
  async openTotals(ownerId: string): Promise<{ count: number; bytes: number }> {
    const row = await this.#db
      .selectFrom("drafts")
      .select((from) => [
        from.fn.countAll<number>().as("count"),
        from.fn.sum<number | null>("size").as("bytes"),
      ])
      .where("owner_id", "=", ownerId)
      .where("state", "<>", "published")
      .executeTakeFirstOrThrow();
    return { count: row.count, bytes: row.bytes ?? 0 };
  }

  /** Bytes that all unfinished drafts together are still going to take. */
  async bytesToCome(): Promise<number> {
    const row = await this.#db
      .selectFrom("drafts")
      .select((from) => [
        from.fn.sum<number | null>("size").as("size"),
        from.fn.sum<number | null>("durable").as("durable"),
      ])
      .where("state", "<>", "published")
      .executeTakeFirstOrThrow();
    return (row.size ?? 0) - (row.durable ?? 0);
  }

  async setDurable(id: string, durable: number, touchedAt: number): Promise<void> {
    await this.#db
      .updateTable("drafts")
      .set({ durable, touched_at: touchedAt, state: "uploading", problem: null })
      .where("id", "=", id)
      .where("state", "<>", "published")
      .execute();
  }

  async setFailed(id: string, problem: string): Promise<void> {
    await this.#db
      .updateTable("drafts")
      .set({ state: "failed", problem })
      .where("id", "=", id)
      .where("state", "<>", "published")
      .execute();
  }

  /** The content was here before: the draft's id leads to the torrent that has it. */
  async setPublished(id: string, torrentId: string): Promise<void> {
    await this.#db
      .updateTable("drafts")
      .set({ state: "published", problem: null, torrent_id: torrentId, declaration: null })
      .where("id", "=", id)
      .execute();
  }

  async delete(id: string): Promise<void> {
    await this.#db.deleteFrom("drafts").where("id", "=", id).execute();
  }
}
