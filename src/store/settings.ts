import type { Kysely } from "kysely";
import type { Schema } from "./schema.ts";

/** Few values that belong to the site, each under a fixed key (HUB-15). */
export interface Settings {
  /** What people call the site. */
  readonly "site-name": string;
  /** Up to this torrent, in the order of publishing, equal files have one place on the disk. */
  readonly "shared-seq": number;
  /** Where the hub that runs, or ran last, is reached on its machine. */
  readonly "local-url": string;
  /** Digest of a one-time key, and when it ends, in wall milliseconds. */
  readonly "setup-link": { readonly digest: string; readonly endMs: number };
}

export class SettingsTable {
  readonly #db: Kysely<Schema>;

  constructor(db: Kysely<Schema>) {
    this.#db = db;
  }

  async get<K extends keyof Settings>(key: K): Promise<Settings[K] | undefined> {
    const row = await this.#db
      .selectFrom("settings")
      .select("value")
      .where("key", "=", key)
      .executeTakeFirst();
    // Only `set` below writes here, with the type that the key stands for.
    return row && (JSON.parse(row.value) as Settings[K]);
  }

  async set<K extends keyof Settings>(key: K, value: Settings[K]): Promise<void> {
    const text = JSON.stringify(value);
    await this.#db
      .insertInto("settings")
      .values({ key, value: text })
      .onConflict((conflict) => conflict.column("key").doUpdateSet({ value: text }))
      .execute();
  }
}
