import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Kysely } from "kysely";
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
  #add: StatementSync | undefined;

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
    this.#add ??= this.#database.prepare(
      `insert into principal_totals (kind, id, infohash, completed, uploaded, downloaded, seeded_s)
       values (?, ?, ?, ?, ?, ?, ?)
       on conflict (kind, id, infohash) do update set ${SUMS}`,
    );
    const statement = this.#add;
    await this.#db.transaction().execute(async () => {
      // The connection is the transaction's while it runs. A query built anew for each row costs ten times as much.
      for (const { principal, infohash, completed, uploaded, downloaded, seededS } of changes) {
        const { kind, id } = principal;
        statement.run(kind, id, infohash, completed, uploaded, downloaded, seededS);
      }
    });
  }
}

/** Clamped to the largest safe number, so that sums stop there instead of failing. */
const SUMS = ["completed", "uploaded", "downloaded", "seeded_s"]
  .map((column) => `${column} = min(${column} + excluded.${column}, ${Number.MAX_SAFE_INTEGER})`)
  .join(", ");
