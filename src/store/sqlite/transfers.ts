import type { DatabaseSync } from "node:sqlite";
import { type Kysely, sql } from "kysely";
import type { Infohashes } from "../../base/infohash.ts";
import type {
  QueuePlace,
  StoredTransfer,
  TransferChange,
  TransferCounts,
  TransferFilter,
  TransferRow,
  TransferTable,
} from "../transfers.ts";
import type { Schema } from "./schema.ts";

export class SqliteTransferTable implements TransferTable {
  readonly #db: Kysely<Schema>;
  readonly #database: DatabaseSync;
  /** Of the rows that were deleted: a place is given once in a run, because programs remember it. */
  #goneSeq = 0;

  constructor(db: Kysely<Schema>, database: DatabaseSync) {
    this.#db = db;
    this.#database = database;
  }

  async insertAll(rows: readonly StoredTransfer[]): Promise<readonly string[]> {
    return this.#db.transaction().execute(async (transaction) => {
      const added: string[] = [];
      const { last } = await transaction
        .selectFrom("transfers")
        .select(sql<number>`coalesce(max(seq), 0)`.as("last"))
        .executeTakeFirstOrThrow();
      let seq = Math.max(last, this.#goneSeq);
      for (const row of rows) {
        const found = await transaction
          .insertInto("transfers")
          .values({ ...row, seq: seq + 1 })
          .onConflict((conflict) => conflict.doNothing())
          .returning("id")
          .executeTakeFirst();
        if (!found) continue;
        seq += 1;
        added.push(found.id);
      }
      return added;
    });
  }

  async find(id: string): Promise<TransferRow | undefined> {
    return this.#rows().where("id", "=", id).executeTakeFirst();
  }

  async findByWire(wireInfohash: Uint8Array): Promise<TransferRow | undefined> {
    const v1 = await this.#rows().where("infohash_v1", "=", wireInfohash).executeTakeFirst();
    if (v1) return v1;
    return this.#rows()
      .where("infohash_v2", "is not", null)
      .where(sql`substr(infohash_v2, 1, 20)`, "=", wireInfohash)
      .executeTakeFirst();
  }

  async findByPrefix(prefix: string, limit: number): Promise<TransferRow[]> {
    // Hexadecimal digits come before "g", so this is a range of the index.
    return this.#rows()
      .where("id", ">=", prefix)
      .where("id", "<", `${prefix}g`)
      .limit(limit)
      .execute();
  }

  async idsWithPrefix(prefix: string): Promise<string[]> {
    const rows = await this.#db
      .selectFrom("transfers")
      .select("id")
      .where("id", ">=", prefix)
      .where("id", "<", `${prefix}g`)
      .execute();
    return rows.map(({ id }) => id);
  }

  async findByName(name: string, limit: number): Promise<TransferRow[]> {
    return this.#rows().where("name", "=", name).limit(limit).execute();
  }

  async after(seq: number, limit: number, filter: TransferFilter = {}): Promise<TransferRow[]> {
    let rows = this.#rows().where("seq", ">", seq);
    if (filter.label !== undefined) rows = rows.where("label", "=", filter.label);
    switch (filter.shown) {
      case "finished":
        rows = rows.where("finished_at", "is not", null);
        break;
      case "unfinished":
        rows = rows.where("finished_at", "is", null);
        break;
      case "stopped":
        rows = rows.where("stopped", "=", 1);
        break;
      case "failed":
        rows = rows.where("failure", "is not", null);
        break;
      case undefined:
        break;
    }
    return rows.orderBy("seq").limit(limit).execute();
  }

  async toFetch(limit: number): Promise<TransferRow[]> {
    return this.#rows()
      .where("finished_at", "is", null)
      .where(IS_WANTED)
      .orderBy("position")
      .orderBy("seq")
      .limit(limit)
      .execute();
  }

  async queue(): Promise<QueuePlace[]> {
    return this.#db
      .selectFrom("transfers")
      .select(["id", "position"])
      .where("finished_at", "is", null)
      .orderBy("position")
      .orderBy("seq")
      .execute();
  }

  async roots(limit: number): Promise<string[]> {
    const rows = await this.#db
      .selectFrom("transfers")
      .select("root")
      .distinct()
      .orderBy("root")
      .limit(limit)
      .execute();
    return rows.map(({ root }) => root);
  }

  async seedsAfter(seq: number, limit: number): Promise<TransferRow[]> {
    return this.#seeds().where("seq", ">", seq).orderBy("seq").limit(limit).execute();
  }

  async busiestSeeds(limit: number): Promise<TransferRow[]> {
    return this.#seeds().orderBy("active_at", "desc").limit(limit).execute();
  }

  async withChores(): Promise<TransferRow[]> {
    return this.#rows().where("chore", "is not", null).orderBy("seq").execute();
  }

  async countSeeds(): Promise<number> {
    const { count } = await this.#db
      .selectFrom("transfers")
      .select(({ fn }) => fn.countAll<number>().as("count"))
      .where("finished_at", "is not", null)
      .where(IS_WANTED)
      .executeTakeFirstOrThrow();
    return count;
  }

  async counts(): Promise<TransferCounts> {
    return this.#db
      .selectFrom("transfers")
      .select(({ fn }) => [
        fn.countAll<number>().as("all"),
        fn.count<number>("finished_at").as("finished"),
        sql<number>`coalesce(sum(stopped), 0)`.as("stopped"),
      ])
      .executeTakeFirstOrThrow();
  }

  *publicSeeds(): Iterable<Infohashes> {
    yield* this.#infohashes(`where finished_at is not null and ${WANTED} and private = 0`);
  }

  *allInfohashes(): Iterable<Infohashes> {
    yield* this.#infohashes("");
  }

  *#infohashes(where: string): Iterable<Infohashes> {
    const all = this.#database.prepare(
      `select infohash_v1, infohash_v2 from transfers ${where} order by seq`,
    );
    for (const row of all.iterate()) {
      const [v1, v2] = [row["infohash_v1"], row["infohash_v2"]];
      yield {
        ...(v1 instanceof Uint8Array && { v1 }),
        ...(v2 instanceof Uint8Array && { v2 }),
      };
    }
  }

  async positions(): Promise<{ readonly first: number; readonly last: number }> {
    // Each alone is the end of an index; asked in one query they would read all rows.
    const end = async (order: "asc" | "desc"): Promise<number> => {
      const rows = this.#db.selectFrom("transfers").select("position");
      const row = await rows.orderBy("position", order).limit(1).executeTakeFirst();
      return row?.position ?? 0;
    };
    return { first: await end("asc"), last: await end("desc") };
  }

  async update(id: string, change: TransferChange): Promise<void> {
    await this.#db.updateTable("transfers").set(change).where("id", "=", id).execute();
  }

  async updateAll(
    changes: readonly (TransferChange & Pick<StoredTransfer, "id">)[],
  ): Promise<void> {
    if (changes.length === 0) return;
    await this.#db.transaction().execute(async (transaction) => {
      for (const { id, ...change } of changes) {
        await transaction.updateTable("transfers").set(change).where("id", "=", id).execute();
      }
    });
  }

  async delete(id: string): Promise<void> {
    await this.#db.transaction().execute(async (transaction) => {
      await transaction.deleteFrom("transfer_contents").where("transfer", "=", id).execute();
      const gone = await transaction
        .deleteFrom("transfers")
        .where("id", "=", id)
        .returning("seq")
        .executeTakeFirst();
      this.#goneSeq = Math.max(this.#goneSeq, gone?.seq ?? 0);
    });
  }

  #rows() {
    return this.#db.selectFrom("transfers").selectAll();
  }

  #seeds() {
    return this.#rows().where("finished_at", "is not", null).where(IS_WANTED);
  }
}

/** Spelled as in the partial indexes: SQLite uses them only for the same words. */
const WANTED = "stopped = 0 and failure is null and chore is null";
const IS_WANTED = sql.raw<boolean>(WANTED);
