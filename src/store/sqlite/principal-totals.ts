import type { DatabaseSync, StatementSync } from "node:sqlite";
import { type Kysely, sql } from "kysely";
import type {
  PrincipalFigures,
  PrincipalTotalTable,
  StoredPrincipal,
} from "../principal-totals.ts";
import type { Schema } from "./schema.ts";

export class SqlitePrincipalTotalTable implements PrincipalTotalTable {
  readonly #db: Kysely<Schema>;
  readonly #database: DatabaseSync;
  #sums: StatementSync | undefined;

  constructor(db: Kysely<Schema>, database: DatabaseSync) {
    this.#db = db;
    this.#database = database;
  }

  *sums(): Iterable<PrincipalFigures & { readonly principal: StoredPrincipal }> {
    // Prepared on first use, because tests open databases that are older than this table. Sums are floating point,
    // because integer sums fail beyond 2^63.
    this.#sums ??= this.#database.prepare(
      `select kind, id, total(completed) as completed, total(uploaded) as uploaded, total(downloaded) as downloaded,
         total(seeded_s) as seeded_s
       from principal_totals group by kind, id`,
    );
    for (const row of this.#sums.iterate()) {
      yield {
        principal: { kind: row["kind"] === "device" ? "device" : "member", id: String(row["id"]) },
        completed: Number(row["completed"]),
        uploaded: Number(row["uploaded"]),
        downloaded: Number(row["downloaded"]),
        seededS: Number(row["seeded_s"]),
      };
    }
  }

  async add(
    changes: readonly (PrincipalFigures & {
      readonly principal: StoredPrincipal;
      readonly infohash: Uint8Array;
    })[],
  ): Promise<void> {
    if (changes.length === 0) return;
    await this.#db.transaction().execute(async (transaction) => {
      for (const { principal, infohash, completed, uploaded, downloaded, seededS } of changes) {
        const { kind, id } = principal;
        await transaction
          .insertInto("principal_totals")
          .values({ kind, id, infohash, completed, uploaded, downloaded, seeded_s: seededS })
          .onConflict((conflict) =>
            conflict.columns(["kind", "id", "infohash"]).doUpdateSet({
              completed: sum("completed"),
              uploaded: sum("uploaded"),
              downloaded: sum("downloaded"),
              seeded_s: sum("seeded_s"),
            }),
          )
          .execute();
      }
    });
  }
}

/** Clamped to the largest safe number, so that sums stop there instead of failing. */
function sum(column: "completed" | "uploaded" | "downloaded" | "seeded_s") {
  const [before, more] = [sql.ref(`principal_totals.${column}`), sql.ref(`excluded.${column}`)];
  return sql<number>`min(${before} + ${more}, ${Number.MAX_SAFE_INTEGER})`;
}
