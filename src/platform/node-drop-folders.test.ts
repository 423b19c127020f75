import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { temporaryFolder } from "../../test/fixtures/temporary-folder.ts";
import type { DropFolder } from "../ports/drop-folder.ts";
import { NodeDropFolders } from "./node-drop-folders.ts";

function openIn(t: TestContext, folder: string, onChange = (): void => undefined): DropFolder {
  const drop = new NodeDropFolders().open(folder, onChange);
  t.after(() => drop.close());
  return drop;
}

const ALL = (): boolean => true;

test("only plain files are listed and read: no links, pipes or folders", async (t) => {
  const folder = temporaryFolder(t, "everseed-drop-");
  writeFileSync(join(folder, "a.torrent"), "12345");
  writeFileSync(join(folder, "b.txt"), "");
  mkdirSync(join(folder, "c.torrent"));
  symlinkSync(join(folder, "a.torrent"), join(folder, "d.torrent"));
  execFileSync("mkfifo", [join(folder, "e.torrent")]);
  const drop = openIn(t, folder);
  const found = await drop.list((name) => name.endsWith(".torrent"), 10);
  assert.deepEqual(
    found.map(({ name, size }) => [name, size]),
    [["a.torrent", 5]],
  );
  assert.equal(Buffer.from((await drop.read("a.torrent", 5))!).toString(), "12345");
  assert.equal(await drop.read("a.torrent", 4), undefined);
  // They took the place of a file after it was listed.
  assert.equal(await drop.read("e.torrent", 10), undefined);
  await assert.rejects(drop.read("d.torrent", 10), { code: "ELOOP" });
  assert.equal((await drop.list(ALL, 1)).length, 1);
});

test("a file is set aside under a name that is free", async (t) => {
  const folder = temporaryFolder(t, "everseed-drop-");
  const drop = openIn(t, folder);
  for (let round = 0; round < 3; round += 1) {
    writeFileSync(join(folder, "a.torrent"), String(round));
    await drop.setAside("a.torrent", "added");
  }
  const names = ["a.torrent.added", "a.torrent.added-2", "a.torrent.added-3"];
  assert.deepEqual(readdirSync(folder).toSorted(), names);
  await drop.remove("a.torrent.added");
  assert.equal(readdirSync(folder).length, 2);
});

test("changes are told, also in another folder that took the place of the first", async (t) => {
  const top = temporaryFolder(t, "everseed-drop-");
  const folder = join(top, "drop");
  let told = Promise.withResolvers<void>();
  const drop = openIn(t, folder, () => told.resolve());
  await assert.rejects(drop.list(ALL, 10), { code: "ENOENT" });
  mkdirSync(folder);
  assert.deepEqual(await drop.list(ALL, 10), []);
  writeFileSync(join(folder, "a"), "");
  await told.promise;
  renameSync(folder, join(top, "old"));
  await assert.rejects(drop.list(ALL, 10), { code: "ENOENT" });
  mkdirSync(folder);
  await drop.list(ALL, 10);
  told = Promise.withResolvers<void>();
  writeFileSync(join(folder, "b"), "");
  await told.promise;
  rmSync(folder, { recursive: true });
});
