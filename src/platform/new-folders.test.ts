import assert from "node:assert/strict";
import { test } from "node:test";
import { NewFolders } from "./new-folders.ts";

const refused = (code: string) => async (): Promise<void> => {
  throw Object.assign(new Error(code), { code });
};

/** @returns What a call for `path` makes durable. */
async function syncedFor(folders: NewFolders, path: string): Promise<string[]> {
  const synced: string[] = [];
  await folders.sync(path, async (folder) => void synced.push(folder));
  return synced;
}

test("STO-2: the folders above a path are synced once, and no others", async () => {
  const folders = new NewFolders();
  for (const above of ["/", "/a", "/a/b", "/ab", "/a/c"]) folders.madeIn(above);
  assert.deepEqual(await syncedFor(folders, "/a/b/c"), ["/", "/a", "/a/b"]);
  assert.deepEqual(await syncedFor(folders, "/a/b/c"), []);
  assert.deepEqual(await syncedFor(folders, "/ab"), ["/ab"]);
});

test("STO-2: a call does not go on below a new folder while another call is still syncing it", async () => {
  const folders = new NewFolders();
  folders.madeIn("/a");
  const slow = Promise.withResolvers<void>();
  const first = folders.sync("/a/b", () => slow.promise);
  assert.deepEqual(await syncedFor(folders, "/a/b"), ["/a"]);
  slow.resolve();
  await first;
});

test("STO-2: what could not be synced is an error, and is synced by the next call", async () => {
  const folders = new NewFolders();
  folders.madeIn("/a");
  await assert.rejects(folders.sync("/a/b", refused("EIO")), { code: "EIO" });
  assert.deepEqual(await syncedFor(folders, "/a/b"), ["/a"]);
});

for (const code of ["EACCES", "ENOENT"]) {
  test(`a folder that cannot be synced at all (${code}) is no error, and is let go`, async () => {
    const folders = new NewFolders();
    folders.madeIn("/a");
    await folders.sync("/a/b", refused(code));
    assert.deepEqual(await syncedFor(folders, "/a/b"), []);
  });
}
