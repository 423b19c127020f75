import type { Accounts } from "../accounts/accounts.ts";
import { AccountsError } from "../accounts/accounts-error.ts";
import { CommandError } from "./command-error.ts";

// What a person who may write to a hub's data folder, and so owns the hub, does to its accounts.

const TOKEN_DAYS = 366;
/** The site before the first start of a hub. */
const SITE_BY_DEFAULT = "http://127.0.0.1:8420";

/** A link that works once. */
export interface SetupLinkMade {
  readonly url: string;
  /** True when it can be opened now; otherwise after the next start. */
  readonly runs: boolean;
}

/** @param hub.siteUrl - Where the hub was reached last; `undefined` before its first start. */
export async function makeSetupLink(hub: {
  readonly accounts: Pick<Accounts, "makeSetupLink">;
  readonly siteUrl: string | undefined;
  readonly runs: boolean;
}): Promise<SetupLinkMade> {
  const key = await hub.accounts.makeSetupLink();
  return { url: `${hub.siteUrl ?? SITE_BY_DEFAULT}/setup#${key}`, runs: hub.runs };
}

/**
 * Creates the administrator of a hub that has none.
 *
 * @param options.wantsToken - Creates an API token, too.
 * @returns The token when one was wanted. It cannot be read again.
 * @throws {CommandError} (rejects) `exists` when there is an administrator, `bad-plan` for a bad name or password.
 */
export async function createAdministrator(
  accounts: Pick<Accounts, "createAdministrator" | "createToken">,
  options: { readonly name: string; readonly password: string; readonly wantsToken: boolean },
): Promise<{ token: string | undefined }> {
  try {
    const userId = await accounts.createAdministrator(options.name, options.password);
    if (!options.wantsToken) return { token: undefined };
    const token = { name: "hub init", scope: "admin", expiresInDays: TOKEN_DAYS } as const;
    return { token: (await accounts.createToken(userId, token)).token };
  } catch (error) {
    if (!(error instanceof AccountsError)) throw error;
    throw error.code === "setup-done"
      ? new CommandError("exists", error.message, {
          hint: "sign in on its web page to make tokens.",
          cause: error,
        })
      : new CommandError("bad-plan", error.message, {
          hint: "choose another one and run the same command again; nothing was created.",
          cause: error,
        });
  }
}

/**
 * Gives an account a new password, and ends its sessions.
 *
 * @throws {CommandError} (rejects) `not-found` for an unknown name, `bad-plan` for a password that is too weak.
 */
export async function resetPassword(
  accounts: Pick<Accounts, "resetPassword" | "names">,
  name: string,
  password: string,
): Promise<void> {
  try {
    await accounts.resetPassword(name, password);
  } catch (error) {
    if (!(error instanceof AccountsError)) throw error;
    throw await refusedReset(error, accounts);
  }
}

/**
 * Makes a token of the administrator for one call of a running hub, and revokes it.
 *
 * @param hub.base - Address of the hub; `undefined` when it does not run.
 * @param hub.userId - The administrator; `undefined` when there is none.
 * @throws {CommandError} (rejects) `unreachable` when the hub does not run, `not-allowed` when it has no administrator
 *   or too many tokens. Also what `work` throws.
 */
export async function withToken<Result>(
  hub: {
    readonly accounts: Pick<Accounts, "createToken" | "revokeToken">;
    readonly dataDir: string;
    readonly base: string | undefined;
    readonly userId: string | undefined;
  },
  work: (hub: { readonly base: string; readonly token: string }) => Promise<Result>,
): Promise<Result> {
  const { accounts, dataDir, base, userId } = hub;
  if (base === undefined) {
    throw new CommandError("unreachable", `The hub in ${dataDir} is not running.`, {
      subject: dataDir,
      hint: `everseed hub start --data ${dataDir}`,
    });
  }
  if (userId === undefined) {
    throw new CommandError("not-allowed", `The hub in ${dataDir} has no administrator yet.`, {
      subject: dataDir,
      hint: "open the setup link that it printed when it started.",
    });
  }
  const { id, token } = await makeToken(accounts, userId);
  try {
    return await work({ base, token });
  } finally {
    await accounts.revokeToken(userId, id);
  }
}

async function makeToken(
  accounts: Pick<Accounts, "createToken">,
  userId: string,
): ReturnType<Accounts["createToken"]> {
  try {
    return await accounts.createToken(userId, {
      name: "hub status",
      scope: "admin",
      expiresInDays: 1,
    });
  } catch (error) {
    if (!(error instanceof AccountsError)) throw error;
    throw new CommandError("not-allowed", error.message, {
      hint: "revoke one on the account page.",
      cause: error,
    });
  }
}

async function refusedReset(
  cause: AccountsError,
  accounts: Pick<Accounts, "names">,
): Promise<CommandError> {
  if (cause.code !== "not-found") {
    const hint = "choose another one and run the same command again; nothing was changed.";
    return new CommandError("bad-plan", cause.message, { hint, cause });
  }
  const names = await accounts.names();
  const hint =
    names.length === 0
      ? "everseed hub init makes the administrator; there is none yet."
      : `one of these names: ${names.join(", ")}.`;
  return new CommandError("not-found", cause.message, { hint, cause });
}
