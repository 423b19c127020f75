import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";

/**
 * Trackers that a publisher named, without the hub's own, which are added when a torrent is requested. Null in older
 * rows: their .torrent files have them, and are read when needed.
 */
export const namedTrackers: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await sql`alter table torrents add column trackers text`.execute(db);
  },
};
