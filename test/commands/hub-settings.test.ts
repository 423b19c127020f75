import assert from "node:assert/strict";
import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { NodeUserFiles } from "../../src/platform/node-user-files.ts";
import { lookAtDataFolder, offerSettings, readSettings } from "../../src/commands/hub-settings.ts";
import { temporaryFolder } from "../fixtures/temporary-folder.ts";

const files = new NodeUserFiles();

test("settings are read, and only those that the user named must exist", async (t) => {
  const folder = temporaryFolder(t, "everseed-settings-");
  const path = `${folder}/everseed.yaml`;
  assert.equal(await readSettings(files, { path, isAskedFor: false }), undefined);
  await assert.rejects(readSettings(files, { path, isAskedFor: true }), { code: "not-found" });
  writeFileSync(path, "port: 1 # \u00e4\n");
  assert.equal(await readSettings(files, { path, isAskedFor: true }), "port: 1 # \u00e4\n");
  const below = `${path}/everseed.yaml`;
  assert.equal(await readSettings(files, { path: below, isAskedFor: false }), undefined);
});

test("a folder, a device and a file that is too large are no settings", async (t) => {
  const folder = temporaryFolder(t, "everseed-settings-");
  const large = `${folder}/large.yaml`;
  writeFileSync(large, "#".repeat(1024 * 1024 + 1));
  await assert.rejects(
    readSettings(files, { path: folder, isAskedFor: true }),
    /a folder|directory/i,
  );
  for (const path of [large, "/dev/zero"]) {
    await assert.rejects(readSettings(files, { path, isAskedFor: true }), { code: "bad-plan" });
  }
});

test("CLI-3: the template is offered for its owner only, and takes the place of nothing", async (t) => {
  const folder = temporaryFolder(t, "everseed-settings-");
  const path = `${folder}/everseed.yaml`;
  await offerSettings(files, path, "# one\n");
  await offerSettings(files, path, "# two\n");
  assert.equal(readFileSync(path, "utf8"), "# one\n");
  assert.equal(statSync(path).mode & 0o777, 0o600);
  const nowhere = offerSettings(files, `${folder}/absent/everseed.yaml`, "");
  await assert.rejects(nowhere, { name: "CommandError" });
});

test("a data folder is new, or closed or open to others", async (t) => {
  const folder = temporaryFolder(t, "everseed-settings-");
  const dataDir = `${folder}/data`;
  assert.deepEqual(await lookAtDataFolder(files, dataDir), { isNew: true, openToOthers: false });
  mkdirSync(dataDir, { mode: 0o700 });
  assert.deepEqual(await lookAtDataFolder(files, dataDir), { isNew: false, openToOthers: false });
  chmodSync(dataDir, 0o750);
  assert.deepEqual(await lookAtDataFolder(files, dataDir), { isNew: false, openToOthers: true });
  writeFileSync(`${dataDir}/file`, "");
  const file = await lookAtDataFolder(files, `${dataDir}/file`);
  assert.deepEqual(file, { isNew: false, openToOthers: false });
});
