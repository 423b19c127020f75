import type { Clock } from "../ports/clock.ts";
import type { PasswordHash } from "../ports/password-hash.ts";
import type { AccountTable } from "../store/accounts.ts";

/**
 * Gives an account a new password and ends all its sessions. Judging and hashing take long, and the password may be
 * changed meanwhile, also by another process (`hub password`): that change is kept (HUB-46).
 *
 * @returns False when `current` is not the password, at the beginning or at the end.
 */
export async function replacePassword(
  world: {
    readonly accounts: AccountTable;
    readonly passwords: PasswordHash;
    readonly clock: Clock;
  },
  user: { readonly id: string; readonly name: string },
  { current, password }: { readonly current: string; readonly password: string },
): Promise<boolean> {
  const { accounts, passwords, clock } = world;
  const from = await accounts.passwordHash(user.name);
  if (from === undefined || !(await passwords.verify(from, current))) return false;
  const hash = await passwords.hash(password);
  return accounts.setPassword(user.id, { hash, from, wallMs: clock.wallMs() });
}

/**
 * Signs in, and keeps the session only if the judged password is still the account's at the end (HUB-46). A later
 * change ends this session with the others.
 *
 * @param begin - Judges the current password and stores a session.
 * @returns `undefined` when the password was changed meanwhile; there is no session then.
 */
export async function signInUnchanged<SignedIn extends { readonly response: { token: string } }>(
  accounts: AccountTable,
  name: string,
  begin: () => Promise<SignedIn>,
): Promise<SignedIn | undefined> {
  const before = await accounts.passwordHash(name);
  const signedIn = await begin();
  if ((await accounts.passwordHash(name)) === before) return signedIn;
  await accounts.deleteSession(signedIn.response.token);
  return undefined;
}
