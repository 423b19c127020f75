import { resolve } from "node:path";
import type { Accounts } from "../accounts/accounts.ts";
import { AccountsError } from "../accounts/accounts-error.ts";
import { NodeClock } from "../platform/node-clock.ts";
import { NodeRandom } from "../platform/node-random.ts";
import { SILENT_LOG } from "../ports/log.ts";
import type { Store } from "../store/store.ts";
import { CommandError } from "../commands/command-error.ts";
import { openAccountsBeside } from "./hub-state.ts";

/** Ways back in for whoever can write to the data folder, and so owns the hub anyway. The hub may run meanwhile. */

/** A link that works once. */
export interface SetupLinkMade {
  readonly url: string;
  /** It can be opened now; else after the next start. */
  readonly runs: boolean;
}

/** @throws {CommandError} (rejects) `not-found` when there is no hub, and what opening the folder may throw. */
export async function makeSetupLink(dataDir: string): Promise<SetupLinkMade> {
  return withAccounts(dataDir, async ({ accounts, store, runs }) => {
    const key = await accounts.makeSetupLink();
    const site = (await store.settings.get("local-url")) ?? "http://127.0.0.1:8420";
    return { url: `${site}/setup#${key}`, runs };
  });
}

/**
 * Gives an account a new password, and ends its sessions.
 *
 * @throws {CommandError} (rejects) `not-found` for a name nobody has, `bad-plan` for a password that is too weak.
 */
export async function resetPassword(
  dataDir: string,
  name: string,
  password: string,
): Promise<void> {
  await withAccounts(dataDir, async ({ accounts }) => {
    try {
      await accounts.resetPassword(name, password);
    } catch (error) {
      if (!(error instanceof AccountsError)) throw error;
      throw await refusedReset(error, accounts);
    }
  });
}

async function refusedReset(cause: AccountsError, accounts: Accounts): Promise<CommandError> {
  if (cause.code !== "not-found") {
    const hint = "the same again with another one; nothing was changed.";
    return new CommandError("bad-plan", cause.message, { hint, cause });
  }
  const names = await accounts.names();
  const hint =
    names.length === 0
      ? "everseed hub init makes the administrator; there is none yet."
      : `one of the names that there are: ${names.join(", ")}.`;
  return new CommandError("not-found", cause.message, { hint, cause });
}

async function withAccounts<Result>(
  dataDir: string,
  work: (opened: { accounts: Accounts; store: Store; runs: boolean }) => Promise<Result>,
): Promise<Result> {
  const world = { clock: new NodeClock(), random: new NodeRandom(), log: SILENT_LOG };
  const opened = await openAccountsBeside(resolve(dataDir), world);
  try {
    return await work(opened);
  } finally {
    await opened.close();
  }
}
