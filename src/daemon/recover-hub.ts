import { resolve } from "node:path";
import type { Accounts } from "../accounts/accounts.ts";
import {
  makeSetupLink as makeLink,
  resetPassword as reset,
  withToken,
} from "../commands/hub-accounts.ts";
import type { SetupLinkMade } from "../commands/hub-accounts.ts";
import { NodeClock } from "../platform/node-clock.ts";
import { NodeRandom } from "../platform/node-random.ts";
import { SILENT_LOG } from "../ports/log.ts";
import type { Store } from "../store/store.ts";
import { openAccountsBeside } from "./hub-state.ts";

/** @throws {CommandError} (rejects) As `openAccountsBeside`. */
export function makeSetupLink(dataDir: string): Promise<SetupLinkMade> {
  return withAccounts(dataDir, async ({ accounts, store, runs }) =>
    makeLink({ accounts, runs, siteUrl: await store.settings.get("local-url") }),
  );
}

/** @throws {CommandError} (rejects) As `resetPassword` of the commands, and `openAccountsBeside`. */
export function resetPassword(dataDir: string, name: string, password: string): Promise<void> {
  return withAccounts(dataDir, ({ accounts }) => reset(accounts, name, password));
}

/**
 * Does something by the API of a running hub, with a token that is gone afterwards.
 *
 * @throws {CommandError} (rejects) As `withToken` of the commands, `openAccountsBeside`, and `work`.
 */
export function withHubToken<Result>(
  dataDir: string,
  work: (hub: { readonly base: string; readonly token: string }) => Promise<Result>,
): Promise<Result> {
  return withAccounts(dataDir, async ({ accounts, store, runs }) => {
    const base = await store.settings.get("local-url");
    const admin = await store.accounts.findAdministrator();
    const hub = { accounts, dataDir: resolve(dataDir), base: runs ? base : undefined };
    return withToken({ ...hub, userId: admin?.id }, work);
  });
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
