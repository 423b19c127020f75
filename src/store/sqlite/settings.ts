import type { Kysely } from "kysely";
import type { Settings, SettingsTable } from "../settings.ts";
import type { Schema } from "./schema.ts";

export class SqliteSettingsTable implements SettingsTable {
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
    // Only `set` below writes here, with the type of the key.
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

  async delete<K extends keyof Settings>(key: K, value: Settings[K]): Promise<boolean> {
    const { numDeletedRows } = await this.#db
      .deleteFrom("settings")
      .where("key", "=", key)
      // As `set` wrote it: JSON keeps the order of keys.
      .where("value", "=", JSON.stringify(value))
      .executeTakeFirst();
    return numDeletedRows > 0n;
  }
}
