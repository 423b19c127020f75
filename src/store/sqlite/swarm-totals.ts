import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Kysely } from "kysely";
import type { SwarmTotal, SwarmTotalTable } from "../swarm-totals.ts";
import type { Schema } from "./schema.ts";

export class SqliteSwarmTotalTable implements SwarmTotalTable {
  readonly #db: Kysely<Schema>;
  readonly #find: StatementSync;

  constructor(db: Kysely<Schema>, database: DatabaseSync) {
    this.#db = db;
    this.#find = database.prepare(
      "select completed, uploaded, downloaded from swarm_totals where infohash = ?",
    );
  }

  /**
   * Answers at once, in microseconds: asked when a swarm opens.
   *
   * @param infohash - 20 bytes, as they were saved.
   */
  find(infohash: Uint8Array): SwarmTotal | undefined {
    const row = this.#find.get(infohash);
    if (!row) return undefined;
    return {
      completed: Number(row["completed"]),
      uploaded: Number(row["uploaded"]),
      downloaded: Number(row["downloaded"]),
    };
  }

  /** Writes what changed in one transaction. */
  async save(totals: readonly (SwarmTotal & { readonly infohash: Uint8Array })[]): Promise<void> {
    if (totals.length === 0) return;
    await this.#db.transaction().execute(async (transaction) => {
      for (const { infohash, completed, uploaded, downloaded } of totals) {
        const values = { completed, uploaded, downloaded };
        await transaction
          .insertInto("swarm_totals")
          .values({ infohash, ...values })
          .onConflict((conflict) => conflict.column("infohash").doUpdateSet(values))
          .execute();
      }
    });
  }
}
