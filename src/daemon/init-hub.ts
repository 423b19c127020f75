import { resolve } from "node:path";
import { AccountsError } from "../accounts/accounts-error.ts";
import { NodeClock } from "../platform/node-clock.ts";
import { NodeRandom } from "../platform/node-random.ts";
import { SILENT_LOG } from "../ports/log.ts";
import { CommandError } from "../commands/command-error.ts";
import { openAccounts, openHubState } from "./hub-state.ts";

const TOKEN_DAYS = 366;

export interface InitOptions {
  readonly dataDir: string;
  readonly adminName: string;
  readonly password: string;
  /** Make an API token too. */
  readonly wantsToken: boolean;
}

/**
 * Makes the administrator of a hub that is not running, without a question: whoever can write to the data
 * folder owns the hub anyway.
 *
 * @returns The token, shown this once, when one was wanted.
 * @throws {CommandError} (rejects) `exists` when there is an administrator, `bad-plan` for a bad name or
 *   password, and what opening the folder may throw.
 */
export async function initHub(options: InitOptions): Promise<{ token: string | undefined }> {
  const state = await openHubState(resolve(options.dataDir));
  try {
    const accounts = openAccounts(state, {
      siteUrl: "http://127.0.0.1",
      clock: new NodeClock(),
      random: new NodeRandom(),
      log: SILENT_LOG,
    });
    const userId = await accounts.createAdministrator(options.adminName, options.password);
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
          hint: "the same again with another one; nothing was made.",
          cause: error,
        });
  } finally {
    await state.close();
  }
}
