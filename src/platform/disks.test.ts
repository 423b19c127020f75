import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryFolder } from "../../test/fixtures/temporary-folder.ts";
import { disksOf } from "./disks.ts";

test("folders of one disk are one entry; one that is not there yet counts for the disk above it", async (t) => {
  const folder = temporaryFolder(t, "everseed-disks-");
  const [films, books] = [join(folder, "films"), join(folder, "not", "there", "yet")];
  mkdirSync(films);
  const [disk, ...others] = await disksOf([films, books]);
  assert.deepEqual(others, []);
  assert.deepEqual(disk!.folders, [films, books]);
  assert.notEqual(disk!.name, "");
  assert.ok(disk!.freeBytes > 0 && disk!.freeBytes <= disk!.totalBytes);
});

test("a folder that cannot be looked at is left out", async () => {
  assert.deepEqual(await disksOf(["/bad\0name"]), []);
});
