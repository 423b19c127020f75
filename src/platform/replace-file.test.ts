import assert from "node:assert/strict";
import {
  chmodSync,
  lstatSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryFolder } from "../../test/fixtures/temporary-folder.ts";
import { replaceFile } from "./replace-file.ts";

test("CLI-3 a new file of a person is closed to others, with its folder", async (context) => {
  const folder = join(temporaryFolder(context, "everseed-replace-"), "a", "b");
  await replaceFile(join(folder, "x.yaml"), "one");
  assert.equal(statSync(join(folder, "x.yaml")).mode & 0o777, 0o600);
  assert.equal(statSync(folder).mode & 0o777, 0o700);
});

test("a file that is replaced keeps its mode, and a link to it stays a link", async (context) => {
  const folder = temporaryFolder(context, "everseed-replace-");
  const path = join(folder, "x.yaml");
  const link = join(folder, "link.yaml");
  writeFileSync(path, "one");
  chmodSync(path, 0o640);
  symlinkSync("x.yaml", link);
  await replaceFile(link, "two");
  assert.equal(readFileSync(path, "utf8"), "two");
  assert.equal(statSync(path).mode & 0o777, 0o640);
  assert.ok(lstatSync(link).isSymbolicLink());
  assert.deepEqual(readdirSync(folder).toSorted(), ["link.yaml", "x.yaml"]);
});
