import { randomBytes } from "node:crypto";
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { Accounts } from "../accounts/accounts.ts";
import { Argon2Hash } from "../platform/argon2-hash.ts";
import { removeLeftovers } from "../platform/atomic-file.ts";
import { type LockFile, takeLock } from "../platform/lock-file.ts";
import type { NodeClock } from "../platform/node-clock.ts";
import { NodeFiles } from "../platform/node-files.ts";
import { PlatformError } from "../platform/platform-error.ts";
import type { Log } from "../ports/log.ts";
import type { Random } from "../ports/random.ts";
import { openStore } from "../store/open-store.ts";
import type { Store } from "../store/store.ts";
import { StoreError } from "../store/store-error.ts";
import { systemCode } from "../base/system-code.ts";
import { CommandError, diskTrouble } from "../commands/command-error.ts";
import { HUB_DATABASE } from "../commands/hub-folder.ts";

const SECRET_BYTES = 32;

/** What lies in the data folder, held by this process alone. */
export interface HubState {
  readonly dataDir: string;
  readonly store: Store;
  readonly files: NodeFiles;
  /** Signs sessions. */
  readonly secret: string;
  close(): Promise<void>;
}

/**
 * Opens the data folder, making it when it is not there: lock first, then keys and database.
 *
 * @param dataDir - Absolute.
 * @throws {CommandError} (rejects) `data-in-use` naming the process (STO-10), `corrupt`, `not-writable`; `not-allowed` for
 *   root, when the hub is another user's.
 */
export async function openHubState(dataDir: string): Promise<HubState> {
  refuseAsRoot(dataDir);
  const lock = await lockFolder(dataDir);
  try {
    const files = new NodeFiles(dataDir);
    await removeAllLeftovers(files, dataDir);
    const secret = await readSecret(files, join(dataDir, "keys/session"));
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
 * Opens the accounts of a hub for one command, beside the hub when that runs: the database has locks of its own, and
 * a hub keeps nothing of accounts in memory.
 *
 * @param dataDir - Absolute; a hub must have been there.
 * @returns Also whether the hub runs.
 * @throws {CommandError} (rejects) `not-found` when there is no hub; what `openHubState` may throw.
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
    const secret = await readSecret(new NodeFiles(dataDir), join(dataDir, "keys/session"));
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

/** The folder is ours alone: whatever was in the making when an earlier hub was killed is no one's (STO-14). */
async function removeAllLeftovers(files: NodeFiles, dataDir: string): Promise<void> {
  const torrents = join(dataDir, "torrents");
  const folders = [dataDir, join(dataDir, "keys")];
  for (const name of await files.list(torrents)) folders.push(join(torrents, name));
  const now = Date.now();
  for (const folder of folders) {
    if ((await files.stat(folder))?.folder) await removeLeftovers(folder, now);
  }
}

/** Made at the first start; read by nobody else. */
async function readSecret(files: NodeFiles, path: string): Promise<string> {
  const known = await files.read(path);
  if (known) {
    const secret = Buffer.from(known).toString("utf8").trim();
    if (/^[0-9a-f]{64}$/.test(secret)) return secret;
    // Half-written by whatever power: set aside, not overwritten (STO-3). People sign in again.
    await files.move(path, `${path}.unreadable`);
  }
  const secret = randomBytes(SECRET_BYTES).toString("hex");
  await files.write(path, Buffer.from(`${secret}\n`));
  return secret;
}

/** What root writes there, the hub's own user could not read at its next start. */
function refuseAsRoot(dataDir: string): void {
  const owner = statSync(join(dataDir, HUB_DATABASE), { throwIfNoEntry: false })?.uid ?? 0;
  if (process.getuid?.() !== 0 || owner === 0) return;
  throw new CommandError(
    "not-allowed",
    `The hub in ${dataDir} belongs to another user (${owner}). Files that root leaves there would be closed to it.`,
    {
      subject: dataDir,
      hint: `the same as that user: setpriv --reuid ${owner} --clear-groups ..., or systemctl start; to make it root's, chown -R root ${dataDir}.`,
    },
  );
}

/** Puts into words that a file in the data folder is closed to the hub. @returns Any other error as it is. */
export function closedFileTrouble(error: unknown, dataDir: string): unknown {
  const code = systemCode(error);
  if (error instanceof CommandError || (code !== "EACCES" && code !== "EPERM")) return error;
  const user = process.getuid?.() ?? "USER";
  return new CommandError(
    "not-readable",
    `Some of what is in ${dataDir} is closed to this user. It was made by another one: by root, perhaps.`,
    { subject: dataDir, hint: `as root: chown -R ${user} ${dataDir}`, cause: error },
  );
}

function stateTrouble(error: unknown, dataDir: string): unknown {
  if (error instanceof StoreError) return storeTrouble(error, dataDir);
  if (systemCode(error) !== undefined) return diskTrouble(error, `write to ${dataDir}`, dataDir);
  return error;
}

function storeTrouble(error: StoreError, dataDir: string): CommandError {
  const subject = join(dataDir, HUB_DATABASE);
  const cause = error;
  switch (error.code) {
    case "unreadable":
      return new CommandError("corrupt", `${subject} is damaged. It was left as it is.`, {
        subject,
        cause,
        hint: "put a backup in its place, or move it away to begin anew.",
      });
    case "newer-schema":
      return new CommandError("corrupt", `${subject} was written by a newer Everseed.`, {
        subject,
        cause,
        hint: "start that version, or a newer one.",
      });
    case "older-schema":
      return new CommandError("data-in-use", `The hub that uses ${dataDir} is an older Everseed.`, {
        subject,
        cause,
        hint: "stop it first, then the same again.",
      });
    case "disk-full":
      return new CommandError("disk-full", `Cannot write to ${subject}. The disk is full.`, {
        subject,
        cause,
        hint: "free some space, then start again.",
      });
    case "read-only":
      return new CommandError("not-writable", `Cannot write to ${subject}. It is read-only.`, {
        subject,
        cause,
        hint: "make the folder writable for this user.",
      });
  }
}
