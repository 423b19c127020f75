import { resolve } from "node:path";
import { createAdministrator } from "../commands/hub-accounts.ts";
import { NodeClock } from "../platform/node-clock.ts";
import { NodeRandom } from "../platform/node-random.ts";
import { SILENT_LOG } from "../ports/log.ts";
import { openAccounts, openHubState } from "./hub-state.ts";

export interface InitOptions {
  readonly dataDir: string;
  readonly adminName: string;
  readonly password: string;
  /** True to create an API token too. */
  readonly wantsToken: boolean;
}

/**
 * Creates the administrator of a hub that is not running.
 *
 * @returns As `createAdministrator`.
 * @throws {CommandError} (rejects) As `createAdministrator` and `openHubState`.
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
    const { adminName: name, password, wantsToken } = options;
    return await createAdministrator(accounts, { name, password, wantsToken });
  } finally {
    await state.close();
  }
}
