import { existsSync, mkdtempSync, rmdirSync, statfsSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { formatBytes } from "../base/format-bytes.ts";
import { systemCode } from "../base/system-code.ts";
import { CommandError, diskTrouble } from "../commands/command-error.ts";
import { databaseTrouble } from "../commands/data-folder-trouble.ts";
import { type Finding, fails, fine, judgeDisk, warns } from "../commands/health.ts";
import { HUB_DATABASE } from "../commands/hub-folder.ts";
import { inspectStore } from "../store/inspect-store.ts";
import { StoreError } from "../store/store-error.ts";

const OTHERS = 0o077;

/** Examines a folder that the node writes in; where it does not exist yet, the one that it would be made in. */
export function examineFolder(folder: string, use: "state" | "content"): Finding {
  const at = nearest(folder);
  try {
    // Rights and mounts may say that it can be written where it cannot.
    rmdirSync(mkdtempSync(join(at, ".everseed-doctor-")));
    const { bavail, blocks, bsize, ffree, files, type } = statfsSync(at);
    return judgeDisk({
      folder,
      use,
      // Some file systems count neither.
      freeBytes: blocks === 0 ? undefined : bavail * bsize,
      freeInodes: files === 0 ? undefined : ffree,
      kind: type,
    });
  } catch (error) {
    const trouble = diskTrouble(error, `write to ${at}`, at);
    return fails(use, trouble.detail, trouble.hint ?? "another folder");
  }
}

/** Whether other users may look into the state, where keys and the database are (CLI-3). */
export function examineRights(dataDir: string): Finding | undefined {
  const facts = statSync(dataDir, { throwIfNoEntry: false });
  if (!facts || (facts.mode & OTHERS) === 0) return undefined;
  const mode = (facts.mode & 0o777).toString(8);
  return warns(
    "state",
    `Other users may look into ${dataDir} (mode ${mode}).`,
    `chmod 700 ${dataDir}`,
  );
}

export function examineDatabase(dataDir: string): Finding {
  const path = join(dataDir, HUB_DATABASE);
  try {
    if (!existsSync(path)) return fine("database", "There is no database yet.");
    const { bytes, isExamined, isOlder } = inspectStore(path);
    const size = formatBytes(bytes);
    const how = isExamined ? "is in order" : "can be opened; it is too large to be examined here";
    const older = isOlder ? " The next start brings it up to date." : "";
    return fine("database", `The database (${size}) ${how}.${older}`);
  } catch (error) {
    if (error instanceof StoreError) {
      const { detail, hint } = databaseTrouble(error.code, dataDir, error);
      return fails("database", detail, hint ?? "put a backup in its place");
    }
    if (systemCode(error) === undefined) throw error;
    const trouble =
      error instanceof CommandError ? error : diskTrouble(error, `read ${path}`, path);
    return fails("database", trouble.detail, trouble.hint ?? "check the disk");
  }
}

function nearest(path: string): string {
  let at = path;
  while (!existsSync(at) && dirname(at) !== at) at = dirname(at);
  return at;
}
