import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";

/**
 * Trackers that a publisher named, apart from the hub's own, which are put around a torrent when somebody asks
 * for it. Null in rows from before: their .torrent files tell, and are read when they are needed.
 */
export const namedTrackers: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await sql`alter table torrents add column trackers text`.execute(db);
  },
};
