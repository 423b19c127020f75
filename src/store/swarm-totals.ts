import type { Kysely } from "kysely";
import { toHex } from "../base/bytes.ts";
import type { Schema } from "./schema.ts";

/** Downloads finished per swarm over all time; swarms themselves live in memory (TRK-17). */
export class SwarmTotalTable {
  readonly #db: Kysely<Schema>;

  constructor(db: Kysely<Schema>) {
    this.#db = db;
  }

  /** @returns Finished downloads by `infohashKey`; swarms never heard of are left out. */
  async loadAll(): Promise<Map<string, number>> {
    const rows = await this.#db.selectFrom("swarm_totals").selectAll().execute();
    return new Map(rows.map((row) => [toHex(row.infohash), row.completed]));
  }

  /** Writes what changed in one transaction. */
  async save(totals: readonly { infohash: Uint8Array; completed: number }[]): Promise<void> {
    if (totals.length === 0) return;
    await this.#db.transaction().execute(async (transaction) => {
      for (const { infohash, completed } of totals) {
        await transaction
          .insertInto("swarm_totals")
          .values({ infohash, completed })
          .onConflict((conflict) => conflict.column("infohash").doUpdateSet({ completed }))
          .execute();
      }
    });
  }
}
