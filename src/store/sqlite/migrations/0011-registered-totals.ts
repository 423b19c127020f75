import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";

/** Open trackers kept a row for each infohash they ever saw: only those of published torrents stay. */
export const registeredTotals: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await sql`delete from swarm_totals
      where infohash not in (select infohash_v1 from torrents where infohash_v1 is not null)
        and infohash not in
          (select substr(infohash_v2, 1, 20) from torrents where infohash_v2 is not null)`.execute(
      db,
    );
  },
};
