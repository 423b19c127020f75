import assert from "node:assert/strict";
import { chown, mkdtemp, readdir, rename, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { Bitfield } from "../../src/base/bitfield.ts";
import { ResumeFile } from "../../src/commands/resume-file.ts";
import { NodeUserFiles } from "../../src/platform/node-user-files.ts";

const INFOHASHES = { v1: new Uint8Array(20).fill(7) };

async function saved(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), "everseed-resume-"));
  t.after(() => rm(folder, { recursive: true }));
  const file = new ResumeFile(
    new NodeUserFiles(),
    { root: folder, infohashes: INFOHASHES },
    (error) => assert.fail(String(error)),
  );
  assert.equal(await file.load(), undefined, "there is none yet");
  await file.save({
    have: new Bitfield(8),
    stamps: [],
    savedAtMs: 0,
    clean: true,
    partial: [],
    uploaded: 0,
    downloaded: 0,
  });
  const [name] = await readdir(folder);
  return { file, path: join(folder, name!) };
}

test("a resume file of this user is believed", async (t) => {
  const { file } = await saved(t);
  assert.ok(await file.load());
});

test("CLI-14: a resume file that is a link, or somebody else's, is not believed", async (t) => {
  const { file, path } = await saved(t);
  await rename(path, `${path}.elsewhere`);
  await symlink(`${path}.elsewhere`, path);
  assert.equal(await file.load(), undefined);
  await rm(path);
  await rename(`${path}.elsewhere`, path);
  if (process.getuid?.() !== 0) return t.diagnostic("only root gives files to others");
  await chown(path, 65_534, 65_534);
  assert.equal(await file.load(), undefined);
});
