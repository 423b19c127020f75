import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { Accounts } from "../accounts/accounts.ts";
import { loadSessionSecret } from "../accounts/session-secret.ts";
import { Argon2Hash } from "../platform/argon2-hash.ts";
import { removeLeftovers } from "../platform/atomic-file.ts";
import { type LockFile, takeLock } from "../platform/lock-file.ts";
import type { NodeClock } from "../platform/node-clock.ts";
import { NodeFiles } from "../platform/node-files.ts";
import { NodeRandom } from "../platform/node-random.ts";
import { PlatformError } from "../platform/platform-error.ts";
import type { Log } from "../ports/log.ts";
import type { Random } from "../ports/random.ts";
import { openStore } from "../store/open-store.ts";
import type { Store } from "../store/store.ts";
import { StoreError } from "../store/store-error.ts";
import { systemCode } from "../base/system-code.ts";
import { CommandError, diskTrouble } from "../commands/command-error.ts";
import { databaseTrouble, refuseForeignHub } from "../commands/data-folder-trouble.ts";
import { HUB_DATABASE } from "../commands/hub-folder.ts";
import { DataFolder } from "../publish/data-folder.ts";

const SECRET_FILE = "keys/session";
/** They are made after the database, and are there while it names something. */
const TORRENT_FOLDERS = ["transfers", "torrents", "content"];

/** The open data folder, which only this process uses. */
export interface HubState {
  readonly dataDir: string;
  readonly store: Store;
  readonly files: NodeFiles;
  /** The secret that signs sessions. */
  readonly secret: string;
  close(): Promise<void>;
}

/**
 * Opens the data folder and creates it when it is absent: lock first, then keys and database.
 *
 * @param dataDir - Absolute.
 * @throws {CommandError} (rejects) `data-in-use` naming the process (STO-10), `corrupt`,
 * `not-writable`; `not-allowed` for root, when the hub belongs to another user.
 */
export async function openHubState(dataDir: string): Promise<HubState> {
  refuseForeignHub(dataDir, {
    user: process.getuid?.(),
    owner: statSync(join(dataDir, HUB_DATABASE), { throwIfNoEntry: false })?.uid,
  });
  const lock = await lockFolder(dataDir);
  try {
    const files = new NodeFiles(dataDir);
    await removeAllLeftovers(files, dataDir);
    const secret = await loadSessionSecret(files, new NodeRandom(), join(dataDir, SECRET_FILE));
    refuseEmptied(dataDir);
    const store = await openStore(join(dataDir, HUB_DATABASE));
    return {
      dataDir,
      store,
      files,
      secret,
      async close() {
        files.close();
        await store.close();
        lock.release();
      },
    };
  } catch (error) {
    lock.release();
    throw stateTrouble(error, dataDir);
  }
}

/**
 * Opens the accounts of a hub for one command, even while the hub runs: the database has its own
 * locks, and a hub keeps no accounts in memory.
 *
 * @param dataDir - Absolute; the folder of an existing hub.
 * @returns The accounts, and whether the hub runs.
 * @throws {CommandError} (rejects) `not-found` when there is no hub; also as `openHubState`.
 */
export async function openAccountsBeside(
  dataDir: string,
  world: { clock: NodeClock; random: Random; log: Log },
): Promise<{ accounts: Accounts; store: Store; runs: boolean; close(): Promise<void> }> {
  const database = join(dataDir, HUB_DATABASE);
  if (!existsSync(database)) {
    throw new CommandError("not-found", `There is no hub in ${dataDir}.`, {
      subject: dataDir,
      hint: "the folder that everseed hub start prints as Data.",
    });
  }
  let lock: LockFile | undefined;
  try {
    lock = await lockFolder(dataDir);
  } catch (error) {
    if (!(error instanceof CommandError) || error.code !== "data-in-use") throw error;
  }
  try {
    const secret = await loadSessionSecret(
      new NodeFiles(dataDir),
      world.random,
      join(dataDir, SECRET_FILE),
    );
    const store = await openStore(database, { asItIs: lock === undefined });
    const accounts = openAccounts({ store, secret }, { ...world, siteUrl: "http://127.0.0.1" });
    const close = async (): Promise<void> => {
      await store.close();
      lock?.release();
    };
    return { accounts, store, runs: lock === undefined, close };
  } catch (error) {
    lock?.release();
    throw stateTrouble(error, dataDir);
  }
}

/**
 * SQLite takes an empty file for a new database. Where torrents are, the old one was lost, and a new one would forget them
 * without a word.
 *
 * @throws {CommandError} `corrupt`.
 */
function refuseEmptied(dataDir: string): void {
  const facts = statSync(join(dataDir, HUB_DATABASE), { throwIfNoEntry: false });
  if (facts?.size !== 0) return;
  const used = TORRENT_FOLDERS.find((name) => existsSync(join(dataDir, name)));
  if (used !== undefined) throw databaseTrouble("unreadable", dataDir);
}

export function openAccounts(
  state: Pick<HubState, "store" | "secret">,
  world: { siteUrl: string; clock: NodeClock; random: Random; log: Log },
): Accounts {
  return new Accounts({
    ...world,
    db: state.store.db,
    accounts: state.store.accounts,
    settings: state.store.settings,
    secret: state.secret,
    passwords: new Argon2Hash(),
  });
}

async function lockFolder(dataDir: string): Promise<LockFile> {
  try {
    await new NodeFiles().makeFolder(dataDir);
    return takeLock(join(dataDir, "lock"));
  } catch (error) {
    if (error instanceof PlatformError && error.code === "locked") {
      throw new CommandError("data-in-use", `Another hub uses ${dataDir}: ${error.message}.`, {
        subject: dataDir,
        hint: "stop that one first, or give this one another folder with --data.",
        cause: error,
      });
    }
    throw diskTrouble(error, `write to ${dataDir}`, dataDir);
  }
}

/** The folder is ours alone: what an earlier hub was preparing when it was killed belongs to nobody (STO-14). */
async function removeAllLeftovers(files: NodeFiles, dataDir: string): Promise<void> {
  const now = Date.now();
  for (const folder of await new DataFolder(dataDir).stateFolders(files)) {
    await removeLeftovers(folder, now);
  }
}

function stateTrouble(error: unknown, dataDir: string): unknown {
  if (error instanceof CommandError) return error;
  if (error instanceof StoreError) return databaseTrouble(error.code, dataDir, error);
  if (systemCode(error) !== undefined) return diskTrouble(error, `write to ${dataDir}`, dataDir);
  return error;
}
