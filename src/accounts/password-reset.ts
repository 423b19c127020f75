import type { Clock } from "../ports/clock.ts";
import type { PasswordHash } from "../ports/password-hash.ts";
import type { AccountTable } from "../store/accounts.ts";
import { AccountsError } from "./accounts-error.ts";
import { checkPassword } from "./credential-rules.ts";

/**
 * Gives an account a new password and ends its sessions without the old password, for a person with access to the
 * data folder. A running hub notices with the next request. API tokens stay.
 *
 * @throws {AccountsError} (rejects) `not-found`, `weak-password`.
 */
export async function resetPassword(
  world: {
    readonly accounts: AccountTable;
    readonly passwords: PasswordHash;
    readonly clock: Clock;
  },
  name: string,
  password: string,
): Promise<void> {
  const user = await world.accounts.findByName(name);
  if (!user) throw new AccountsError("not-found", `There is no account of the name ${name}.`);
  checkPassword(password, name);
  const hash = await world.passwords.hash(password);
  await world.accounts.setPassword(user.id, { hash, wallMs: world.clock.wallMs() });
}
