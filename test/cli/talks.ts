import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { everseed, EverseedProcess, temporaryFolder } from "./everseed-process.ts";

/** A folder `talks` of three files, and its torrent. */
export async function talks(context: TestContext, ...flags: string[]) {
  const folder = temporaryFolder(context);
  await mkdir(join(folder, "talks/slides"), { recursive: true });
  await writeFile(join(folder, "talks/a.bin"), randomBytes(3_000_000));
  await writeFile(join(folder, "talks/slides/b.pdf"), randomBytes(100_000));
  await writeFile(join(folder, "talks/empty"), "");
  const args = ["create", "talks", "-o", "talks.torrent", "--no-date", "--json", ...flags];
  const made = await everseed(context, args, { cwd: folder });
  assert.equal(made.exit, 0, made.stderr);
  return { folder, created: JSON.parse(made.stdout) as Record<string, unknown> };
}

/** Seeds it from there. */
export async function startSeed(context: TestContext, folder: string, ...flags: string[]) {
  const args = ["seed", "talks.torrent", "--data", ".", "--listen", "127.0.0.1:0", "--json"];
  const seed = new EverseedProcess(context, [...args, ...flags], { cwd: folder });
  return { seed, peer: `127.0.0.1:${await seed.port()}` };
}
