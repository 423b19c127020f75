import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Kysely } from "kysely";
import type { SwarmTotal, SwarmTotalTable } from "../swarm-totals.ts";
import type { Schema } from "./schema.ts";

export class SqliteSwarmTotalTable implements SwarmTotalTable {
  readonly #db: Kysely<Schema>;
  readonly #all: StatementSync;
  readonly #save: StatementSync;

  constructor(db: Kysely<Schema>, database: DatabaseSync) {
    this.#db = db;
    this.#all = database.prepare(
      "select infohash, completed, uploaded, downloaded from swarm_totals",
    );
    this.#save = database.prepare(
      `insert into swarm_totals (infohash, completed, uploaded, downloaded) values (?, ?, ?, ?)
       on conflict (infohash) do update set
         completed = excluded.completed, uploaded = excluded.uploaded, downloaded = excluded.downloaded`,
    );
  }

  *all(): Iterable<SwarmTotal & { readonly infohash: Uint8Array }> {
    for (const row of this.#all.iterate()) {
      yield {
        infohash: row["infohash"] as Uint8Array,
        completed: Number(row["completed"]),
        uploaded: Number(row["uploaded"]),
        downloaded: Number(row["downloaded"]),
      };
    }
  }

  /** Writes what changed in one transaction. */
  async save(totals: readonly (SwarmTotal & { readonly infohash: Uint8Array })[]): Promise<void> {
    if (totals.length === 0) return;
    await this.#db.transaction().execute(async () => {
      // The connection is the transaction's while it runs. A query built anew for each row costs three times as much.
      for (const { infohash, completed, uploaded, downloaded } of totals) {
        this.#save.run(infohash, completed, uploaded, downloaded);
      }
    });
  }
}
