import { type Kysely, type Selectable, sql } from "kysely";
import type { Schema } from "./schema.ts";
import type { BroughtBack, RemovedTorrentRow, RemovedTorrentTable } from "../removed-torrents.ts";
import { packRow, unpackRow } from "./stored-row.ts";
import { addSearchEntry, deleteSearchEntry } from "./torrent-search.ts";
import type { CatalogueTotals, NewTorrent } from "../torrents.ts";

export class SqliteRemovedTorrentTable implements RemovedTorrentTable {
  readonly #db: Kysely<Schema>;
  readonly #onChange: (more: CatalogueTotals) => void;

  /** @param onChange - Called when the catalogue gains or loses a torrent. */
  constructor(db: Kysely<Schema>, onChange: (more: CatalogueTotals) => void) {
    this.#db = db;
    this.#onChange = onChange;
  }

  /**
   * Takes a torrent out of the catalogue, in one step.
   *
   * @param words - What it is found by besides its title, for its way back.
   * @returns False when there is no such torrent.
   */
  async remove(
    id: string,
    removal: { readonly by: string; readonly atMs: number; readonly words: string },
  ): Promise<boolean> {
    const removed = await this.#db.transaction().execute(async (transaction) => {
      const torrent = await transaction
        .deleteFrom("torrents")
        .where("id", "=", id)
        .returningAll()
        .executeTakeFirst();
      if (!torrent) return undefined;
      await deleteSearchEntry(transaction, torrent.seq);
      await transaction
        .insertInto("removed_torrents")
        .values({
          id,
          infohash_v1: torrent.infohash_v1,
          infohash_v2: torrent.infohash_v2,
          state: "kept",
          torrent: packRow(torrent),
          words: removal.words,
          publisher_id: torrent.publisher_id,
          removed_by: removal.by,
          removed_at: removal.atMs,
        })
        .execute();
      return torrent;
    });
    if (removed) this.#onChange({ torrents: -1, bytes: -removed.size });
    return removed !== undefined;
  }

  /**
   * Puts a torrent back where it was, in one step.
   *
   * @returns False when it is not kept any more.
   */
  async restore(id: string, changes: BroughtBack & { readonly words?: string }): Promise<boolean> {
    const { words, ...columns } = changes;
    const restored = await this.#db.transaction().execute(async (transaction) => {
      const row = await transaction
        .deleteFrom("removed_torrents")
        .where("id", "=", id)
        .where("state", "=", "kept")
        .returning(["torrent", "words"])
        .executeTakeFirst();
      if (!row || row.torrent === null) return undefined;
      // Packed by `remove` with its number, so it returns to its old place.
      const torrent = { ...unpackRow(row.torrent), ...columns } as unknown as NewTorrent & {
        seq: number;
      };
      await transaction.insertInto("torrents").values(torrent).execute();
      await addSearchEntry(transaction, torrent, words ?? row.words ?? "");
      return torrent;
    });
    if (restored) this.#onChange({ torrents: 1, bytes: restored.size });
    return restored !== undefined;
  }

  async find(id: string): Promise<RemovedTorrentRow | undefined> {
    const row = await this.#rows().where("removed_torrents.id", "=", id).executeTakeFirst();
    return row && unpacked(row);
  }

  /** The one that is not gone yet. @param wireInfohash - 20 bytes: v1, or v2 cut. */
  async findByWire(wireInfohash: Uint8Array): Promise<RemovedTorrentRow | undefined> {
    const row = await this.#rows()
      .where("state", "<>", "gone")
      .where((where) =>
        where.or([
          where("infohash_v1", "=", wireInfohash),
          where(sql`substr(infohash_v2, 1, 20)`, "=", wireInfohash),
        ]),
      )
      .executeTakeFirst();
    return row && unpacked(row);
  }

  /** Those that were removed before `beforeMs`, or are on their way out, and are not gone. */
  async listDue(beforeMs: number): Promise<RemovedTorrentRow[]> {
    const rows = await this.#rows()
      .where("state", "<>", "gone")
      .where((where) =>
        where.or([where("removed_at", "<=", beforeMs), where("state", "=", "purging")]),
      )
      .execute();
    return rows.map(unpacked);
  }

  /** From now on nothing brings it back. */
  async setPurging(id: string): Promise<void> {
    await this.#db
      .updateTable("removed_torrents")
      .set({ state: "purging" })
      .where("id", "=", id)
      .execute();
  }

  /** Its bytes are gone: so is what it was called and what was in it. */
  async setGone(id: string): Promise<void> {
    await this.#db
      .updateTable("removed_torrents")
      .set({ state: "gone", torrent: null, words: null })
      .where("id", "=", id)
      .execute();
  }

  #rows() {
    return this.#db
      .selectFrom("removed_torrents")
      .leftJoin("user", "user.id", "removed_torrents.removed_by")
      .selectAll("removed_torrents")
      .select("user.name as remover");
  }
}

function unpacked(
  row: Selectable<Schema["removed_torrents"]> & { remover: string | null },
): RemovedTorrentRow {
  const torrent = row.torrent === null ? null : (unpackRow(row.torrent) as unknown as NewTorrent);
  return { ...row, torrent };
}
