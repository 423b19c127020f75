import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
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
