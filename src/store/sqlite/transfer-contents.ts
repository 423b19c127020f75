import type { Kysely } from "kysely";
import type { TransferContent, TransferContentTable } from "../transfer-contents.ts";
import type { Schema } from "./schema.ts";

export class SqliteTransferContentTable implements TransferContentTable {
  readonly #db: Kysely<Schema>;

  constructor(db: Kysely<Schema>) {
    this.#db = db;
  }

  async add(contents: readonly TransferContent[]): Promise<void> {
    if (contents.length === 0) return;
    await this.#db
      .insertInto("transfer_contents")
      .values([...contents])
      .onConflict((conflict) => conflict.doNothing())
      .execute();
  }

  async find(keys: readonly Uint8Array[], limit: number): Promise<TransferContent[]> {
    if (keys.length === 0) return [];
    return this.#db
      .selectFrom("transfer_contents")
      .selectAll()
      .where("key", "in", [...keys])
      .limit(limit)
      .execute();
  }
}
