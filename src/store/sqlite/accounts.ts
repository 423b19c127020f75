import type { Kysely } from "kysely";
import { invariant } from "../../base/errors.ts";
import type { AccountTable, TokenRow, UserRow } from "../accounts.ts";
import type { Schema } from "./schema.ts";

/** The columns of better-auth's tables that are read and written here. */
type Tables = {
  readonly account: {
    userId: string;
    providerId: string;
    password: string | null;
    updatedAt: string;
  };
  readonly session: { userId: string };
  readonly apikey: TokenRow;
};

export class SqliteAccountTable implements AccountTable {
  readonly #db: Kysely<Schema & Tables>;

  constructor(db: Kysely<Schema>) {
    this.#db = db.$extendTables<Tables>();
  }

  async hasAny(): Promise<boolean> {
    return (await this.#users().limit(1).executeTakeFirst()) !== undefined;
  }

  async find(id: string): Promise<UserRow | undefined> {
    return this.#users().where("id", "=", id).executeTakeFirst();
  }

  async findByName(name: string): Promise<UserRow | undefined> {
    return this.#users().where("username", "=", name.toLowerCase()).executeTakeFirst();
  }

  async findAdministrator(): Promise<UserRow | undefined> {
    return this.#users().where("role", "=", "admin").limit(1).executeTakeFirst();
  }

  async names(): Promise<string[]> {
    return (await this.#users().orderBy("name").execute()).map(({ name }) => name);
  }

  async setPassword(id: string, hash: string, wallMs: number): Promise<void> {
    const now = Temporal.Instant.fromEpochMilliseconds(wallMs);
    const updatedAt = now.toString({ smallestUnit: "millisecond" });
    await this.#db.transaction().execute(async (changes) => {
      const { numUpdatedRows } = await changes
        .updateTable("account")
        .set({ password: hash, updatedAt })
        .where("userId", "=", id)
        .where("providerId", "=", "credential")
        .executeTakeFirst();
      invariant(numUpdatedRows === 1n, "every account here has a password");
      await changes.deleteFrom("session").where("userId", "=", id).execute();
    });
  }

  async tokens(userId: string): Promise<TokenRow[]> {
    return this.#db
      .selectFrom("apikey")
      .selectAll()
      .where("referenceId", "=", userId)
      .orderBy("createdAt", "desc")
      .execute();
  }

  async deleteToken(userId: string, id: string): Promise<boolean> {
    const { numDeletedRows } = await this.#db
      .deleteFrom("apikey")
      .where("referenceId", "=", userId)
      .where("id", "=", id)
      .executeTakeFirstOrThrow();
    return numDeletedRows > 0n;
  }

  #users() {
    return this.#db.selectFrom("user").select(["id", "name", "role"]);
  }
}
