import type { Kysely } from "kysely";
import { invariant } from "../../base/errors.ts";
import type { AccountTable, TokenRow, UserRow } from "../accounts.ts";
import type { Schema } from "./schema.ts";

/** The columns of better-auth's tables that we read and write. */
type Tables = {
  readonly account: {
    userId: string;
    providerId: string;
    password: string | null;
    updatedAt: string;
  };
  readonly session: { userId: string; token: string };
  readonly user: UserRow & { username: string | null };
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

  async passwordHash(name: string): Promise<string | undefined> {
    const row = await this.#db
      .selectFrom("account")
      .innerJoin("user", "user.id", "account.userId")
      .select("account.password")
      .where("user.username", "=", name.toLowerCase())
      .where("account.providerId", "=", "credential")
      .executeTakeFirst();
    return row?.password ?? undefined;
  }

  async setPassword(
    id: string,
    { hash, from, wallMs }: { hash: string; from?: string | undefined; wallMs: number },
  ): Promise<boolean> {
    const now = Temporal.Instant.fromEpochMilliseconds(wallMs);
    const updatedAt = now.toString({ smallestUnit: "millisecond" });
    return this.#db.transaction().execute(async (changes) => {
      let update = changes
        .updateTable("account")
        .set({ password: hash, updatedAt })
        .where("userId", "=", id)
        .where("providerId", "=", "credential");
      if (from !== undefined) update = update.where("password", "=", from);
      const { numUpdatedRows } = await update.executeTakeFirst();
      if (numUpdatedRows === 0n && from !== undefined) return false;
      invariant(numUpdatedRows === 1n, "every account here has a password");
      await changes.deleteFrom("session").where("userId", "=", id).execute();
      return true;
    });
  }

  async deleteSession(token: string): Promise<void> {
    await this.#db.deleteFrom("session").where("token", "=", token).execute();
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
