import type { Kysely } from "kysely";
import type { FetchRow, FetchTable } from "../fetches.ts";
import type { Schema } from "./schema.ts";

export class SqliteFetchTable implements FetchTable {
  readonly #db: Kysely<Schema>;

  constructor(db: Kysely<Schema>) {
    this.#db = db;
  }

  async insert(row: FetchRow): Promise<void> {
    await this.#db.insertInto("fetches").values(row).execute();
  }

  async find(id: string): Promise<FetchRow | undefined> {
    return this.#db.selectFrom("fetches").selectAll().where("id", "=", id).executeTakeFirst();
  }

  /** @param infohash - 20 bytes, as peers say it. */
  async findByInfohash(infohash: Uint8Array): Promise<FetchRow | undefined> {
    return this.#db
      .selectFrom("fetches")
      .selectAll()
      .where("infohash", "=", infohash)
      .executeTakeFirst();
  }

  /** Those that have not ended, oldest first; of one person when told. */
  async listOpen(ownerId?: string): Promise<FetchRow[]> {
    let rows = this.#db
      .selectFrom("fetches")
      .selectAll()
      .where("torrent_id", "is", null)
      .orderBy("created_at");
    if (ownerId !== undefined) rows = rows.where("owner_id", "=", ownerId);
    return rows.execute();
  }

  /** @param problem - Why it failed; null when it is tried again. */
  async setProblem(id: string, problem: string | null): Promise<void> {
    await this.#db.updateTable("fetches").set({ problem }).where("id", "=", id).execute();
  }

  async setPublished(id: string, torrentId: string): Promise<void> {
    await this.#db
      .updateTable("fetches")
      .set({ torrent_id: torrentId, problem: null })
      .where("id", "=", id)
      .execute();
  }

  async delete(id: string): Promise<void> {
    await this.#db.deleteFrom("fetches").where("id", "=", id).execute();
  }
}
