import { chmod, chown, stat } from "node:fs/promises";

/** Keeps other users of this machine out of a folder. */
export async function closeFolder(path: string): Promise<void> {
  await chmod(path, 0o700);
}

/** Gives what root creates in another user's folder to that user. Does nothing for other users. */
export async function giveToOwnerOf(folder: string, path: string): Promise<void> {
  if (process.getuid?.() !== 0) return;
  const { uid, gid } = await stat(folder);
  await chown(path, uid, gid);
}
