import type { Kysely, Selectable } from "kysely";
import type { Schema } from "./schema.ts";

export type SharedFileRow = Selectable<Schema["shared_files"]>;

/** One copy of each file's content by its merkle root, for torrents that hold the same file. */
export class SharedFileTable {
  readonly #db: Kysely<Schema>;

  constructor(db: Kysely<Schema>) {
    this.#db = db;
  }

  async find(piecesRoot: Uint8Array): Promise<SharedFileRow | undefined> {
    return this.#db
      .selectFrom("shared_files")
      .selectAll()
      .where("pieces_root", "=", piecesRoot)
      .executeTakeFirst();
  }

  /** Remembers copies; one that is known already is replaced. */
  async put(rows: readonly SharedFileRow[]): Promise<void> {
    await this.#db.transaction().execute(async (transaction) => {
      for (const row of rows) await transaction.replaceInto("shared_files").values(row).execute();
    });
  }
}
