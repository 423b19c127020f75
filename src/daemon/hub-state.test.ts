import assert from "node:assert/strict";
import {
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { CommandError } from "../commands/command-error.ts";
import { openHubState } from "./hub-state.ts";

test("STO-14: a hub removes what a killed one left in the making, and touches no content", async (context) => {
  const folder = mkdtempSync(join(tmpdir(), "everseed-state-"));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  const left = [".x.1-1.everseed-tmp", "keys/.x.1-1.everseed-tmp", "torrents/ab/.x.1.everseed-tmp"];
  const kept = ["notes", "torrents/ab/x.torrent", "content/ab/x/.mine.everseed-tmp"];
  for (const name of [...left, ...kept]) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), "half");
  }
  const state = await openHubState(folder);
  context.after(() => state.close());
  const isThere = (name: string): boolean => existsSync(join(folder, name));
  assert.deepEqual(left.filter(isThere), []);
  assert.deepEqual(kept.filter(isThere), kept);
});

test("root does not start another user's hub, and leaves nothing there; a hub of its own it does", async (context) => {
  if (process.getuid?.() !== 0) return context.skip("only root is refused");
  const folder = mkdtempSync(join(tmpdir(), "everseed-state-"));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  await (await openHubState(folder)).close();
  await (await openHubState(folder)).close();
  chownSync(folder, 65_534, 65_534);
  for (const name of readdirSync(folder)) chownSync(join(folder, name), 65_534, 65_534);
  const before = readdirSync(folder);
  await assert.rejects(openHubState(folder), (error: unknown) => {
    assert.ok(error instanceof CommandError);
    assert.equal(error.code, "not-allowed");
    assert.match(error.detail, /belongs to another user \(65534\)/);
    return true;
  });
  assert.deepEqual(readdirSync(folder), before);
});
