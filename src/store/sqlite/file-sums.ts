import type { Kysely } from "kysely";
import type { FileSumTable } from "../file-sums.ts";
import type { Schema } from "./schema.ts";

export class SqliteFileSumTable implements FileSumTable {
  readonly #db: Kysely<Schema>;

  constructor(db: Kysely<Schema>) {
    this.#db = db;
  }

  async find(torrentId: string): Promise<Uint8Array | undefined> {
    const row = await this.#db
      .selectFrom("file_sums")
      .select("sums")
      .where("torrent_id", "=", torrentId)
      .executeTakeFirst();
    return row?.sums;
  }

  /** Does nothing for a torrent that is gone. */
  async put(torrentId: string, sums: Uint8Array): Promise<void> {
    await this.#db
      .insertInto("file_sums")
      .columns(["torrent_id", "sums"])
      .expression((from) =>
        from
          .selectFrom("torrents")
          .select((row) => ["id", row.val(sums).as("sums")])
          .where("id", "=", torrentId),
      )
      .onConflict((conflict) => conflict.column("torrent_id").doUpdateSet({ sums }))
      .execute();
  }
}
