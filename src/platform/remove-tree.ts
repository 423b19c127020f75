import { constants } from "node:fs";
import { lstat, open, readdir, rmdir, unlink } from "node:fs/promises";
import { systemCode } from "./disk/disk-refusal.ts";
import { entryOf } from "./disk/open-folders.ts";

/** Entries of one folder that are removed in parallel. */
const FILES_MAX = 16;
const AS_IT_IS = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;

/**
 * Removes a file or a whole folder, where descriptors work as paths. It opens each folder before it
 * lists it, and removes the entries through the open folder: if somebody swaps the folder for a
 * link meanwhile, what is behind the link stays. It removes links, never their targets.
 *
 * @param entry - A path through its folder. Does nothing when the entry is absent.
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
    // One after the other: each call keeps the folders above it open.
    for (const { name } of entries.filter((each) => each.isDirectory())) {
      await removeTree(inside(name));
    }
  } finally {
    await folder.close();
  }
}
