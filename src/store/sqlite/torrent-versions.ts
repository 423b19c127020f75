import type { Kysely, Selectable } from "kysely";
import type {
  PublicationKey,
  TorrentVersionRow,
  TorrentVersionTable,
} from "../torrent-versions.ts";
import type { Schema } from "./schema.ts";

/** Digits of the largest sequence number, 2^63 - 1. */
const SEQUENCE_DIGITS = 19;

export class SqliteTorrentVersionTable implements TorrentVersionTable {
  readonly #db: Kysely<Schema>;

  constructor(db: Kysely<Schema>) {
    this.#db = db;
  }

  async save(row: TorrentVersionRow): Promise<void> {
    const stored = { ...row, sequence: row.sequence.toString().padStart(SEQUENCE_DIGITS, "0") };
    await this.#db.transaction().execute(async (transaction) => {
      await transaction
        .deleteFrom("torrent_versions")
        .where("public_key", "=", row.public_key)
        .where("salt", "=", row.salt)
        .where((where) =>
          where.or([
            where("torrent_id", "=", row.torrent_id),
            where("sequence", "=", stored.sequence),
          ]),
        )
        .execute();
      await transaction.insertInto("torrent_versions").values(stored).execute();
    });
  }

  async findNewest(publication: PublicationKey): Promise<TorrentVersionRow | undefined> {
    const row = await this.#db
      .selectFrom("torrent_versions")
      .selectAll()
      .where("public_key", "=", publication.public_key)
      .where("salt", "=", publication.salt)
      .orderBy("sequence", "desc")
      .limit(1)
      .executeTakeFirst();
    return row && unpacked(row);
  }

  async listOf(torrentId: string): Promise<TorrentVersionRow[]> {
    const rows = await this.#db
      .selectFrom("torrent_versions")
      .selectAll()
      .where("torrent_id", "=", torrentId)
      .orderBy("sequence", "desc")
      .execute();
    return rows.map(unpacked);
  }

  async listKept(limit: number): Promise<TorrentVersionRow[]> {
    const rows = await this.#kept().selectAll("torrent_versions").limit(limit).execute();
    return rows.map(unpacked);
  }

  async countKept(): Promise<number> {
    const { count } = await this.#kept()
      .select((select) => select.fn.countAll<number>().as("count"))
      .executeTakeFirstOrThrow();
    return count;
  }

  #kept() {
    return this.#db
      .selectFrom("torrent_versions")
      .innerJoin("torrents", "torrents.id", "torrent_versions.torrent_id")
      .where("torrents.private", "=", 0)
      .where((where) =>
        where.not(
          where.exists(
            where
              .selectFrom("torrent_versions as newer")
              .select("newer.sequence")
              .whereRef("newer.public_key", "=", "torrent_versions.public_key")
              .whereRef("newer.salt", "=", "torrent_versions.salt")
              .whereRef("newer.sequence", ">", "torrent_versions.sequence"),
          ),
        ),
      );
  }
}

/** SQLite compares the digits, because a number of JavaScript holds 53 bits only. */
function unpacked(row: Selectable<Schema["torrent_versions"]>): TorrentVersionRow {
  return { ...row, sequence: BigInt(row.sequence) };
}
