import { open, realpath, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { systemCode } from "../base/system-code.ts";
import { syncFolder } from "./atomic-file.ts";
import { makeFolders } from "./node-files.ts";
import { temporaryPath } from "./temporary-name.ts";

const PRIVATE_MODE = 0o600;

/**
 * Replaces the text of a file that a person owns (house rule 11). Its mode and owner stay, and a link to it stays a link. A
 * new file can be read by its owner only; its folder is made.
 *
 * @throws (rejects with) The system's error; the file is as it was then.
 */
export async function replaceFile(path: string, text: string): Promise<void> {
  const target = await existing(path);
  const facts = target === undefined ? undefined : await stat(target);
  const place = target ?? path;
  if (!facts) await makeFolders(dirname(place), 0o700);
  const temporary = temporaryPath(place, String(process.pid));
  try {
    await using file = await open(temporary, "wx", PRIVATE_MODE);
    if (facts) {
      await file.chmod(facts.mode & 0o777);
      if (process.getuid?.() === 0) await file.chown(facts.uid, facts.gid);
    }
    await file.writeFile(text);
    await file.sync();
    await rename(temporary, place);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncFolder(dirname(place));
}

/** @returns Where a path leads; `undefined` when nothing is there. */
async function existing(path: string): Promise<string | undefined> {
  try {
    return await realpath(path);
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    throw error;
  }
}
