import type { Kysely } from "kysely";
import { invariant } from "../base/errors.ts";
import type { Clock } from "../ports/clock.ts";
import type { PasswordHash } from "../ports/password-hash.ts";
import type { Schema } from "../store/schema.ts";
import { AccountsError } from "./accounts-error.ts";
import { checkPassword } from "./credential-rules.ts";

/** The columns of better-auth's tables that are read and written here. */
type Tables = {
  readonly user: { id: string; name: string; username: string | null };
  readonly account: {
    userId: string;
    providerId: string;
    password: string | null;
    updatedAt: string;
  };
  readonly session: { userId: string };
};

/**
 * Gives an account a new password and ends its sessions, without the old one: for whoever holds the data folder
 * itself. A hub that runs sees it with the next request. API tokens stay.
 *
 * @throws {AccountsError} (rejects) `not-found`, `weak-password`.
 */
export async function resetPassword(
  world: {
    readonly db: Kysely<Schema>;
    readonly passwords: PasswordHash;
    readonly clock: Clock;
  },
  name: string,
  password: string,
): Promise<void> {
  const userId = await accountId(world.db, name);
  if (userId === undefined) {
    throw new AccountsError("not-found", `There is no account of the name ${name}.`);
  }
  checkPassword(password, name);
  const hash = await world.passwords.hash(password);
  const now = Temporal.Instant.fromEpochMilliseconds(world.clock.wallMs());
  const updatedAt = now.toString({ smallestUnit: "millisecond" });
  const db = world.db.$extendTables<Tables>();
  await db.transaction().execute(async (changes) => {
    const { numUpdatedRows } = await changes
      .updateTable("account")
      .set({ password: hash, updatedAt })
      .where("userId", "=", userId)
      .where("providerId", "=", "credential")
      .executeTakeFirst();
    invariant(numUpdatedRows === 1n, "every account here has a password");
    await changes.deleteFrom("session").where("userId", "=", userId).execute();
  });
}

/** @returns `undefined` when nobody has the name. */
export async function accountId(db: Kysely<Schema>, name: string): Promise<string | undefined> {
  const row = await db
    .$extendTables<Tables>()
    .selectFrom("user")
    .select("id")
    .where("username", "=", name.toLowerCase())
    .executeTakeFirst();
  return row?.id;
}

/** All names, in order. */
export async function accountNames(db: Kysely<Schema>): Promise<string[]> {
  const users = db.$extendTables<Tables>().selectFrom("user");
  return (await users.select("name").orderBy("name").execute()).map((row) => row.name);
}
