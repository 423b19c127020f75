import { constants } from "node:fs";
import { lstat, open, readdir, rmdir, unlink } from "node:fs/promises";
import { systemCode } from "./disk/disk-refusal.ts";
import { entryOf } from "./disk/open-folders.ts";

/** Files of one folder that are removed at once. */
const FILES_MAX = 16;
const AS_IT_IS = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;

/**
 * Removes a file or a folder with all it holds, where descriptors are paths. Each folder is opened before it is
 * looked into, and what is in it is removed through it: a folder that is swapped for a link meanwhile stays what it
 * is behind the link. A link goes, what it leads to stays.
 *
 * @param entry - Through its folder. Harmless when nothing is there.
 */
export async function removeTree(entry: string): Promise<void> {
  try {
    const facts = await lstat(entry);
    if (!facts.isDirectory()) return await unlink(entry);
    await removeContents(entry);
    await rmdir(entry);
  } catch (error) {
    if (systemCode(error) !== "ENOENT") throw error;
  }
}

async function removeContents(entry: string): Promise<void> {
  const folder = await open(entry, AS_IT_IS);
  try {
    const inside = (name: string): string => entryOf({ descriptor: folder.fd, path: entry }, name);
    const entries = await readdir(inside("."), { withFileTypes: true });
    const files = entries.filter((each) => !each.isDirectory());
    for (let at = 0; at < files.length; at += FILES_MAX) {
      const some = files.slice(at, at + FILES_MAX);
      await Promise.all(some.map(({ name }) => removeTree(inside(name))));
    }
    // One after the other: each keeps the folders above it open.
    for (const { name } of entries.filter((each) => each.isDirectory())) {
      await removeTree(inside(name));
    }
  } finally {
    await folder.close();
  }
}
