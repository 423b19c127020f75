import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { everseed, EverseedProcess, temporaryFolder } from "./everseed-process.ts";

const SIZE = 20_000_000;
const WAIT_MS = 30_000;

test("MET-23: the same content as v1, hybrid and v2 has three torrents and is stored once", async (context) => {
  const folder = temporaryFolder(context);
  const inFolder = { cwd: folder };
  await writeFile(join(folder, "password"), "a harbour full of fog", { mode: 0o600 });
  const init = ["hub", "init", "--data", "data", "--admin", "ann", "--password-file", "password"];
  assert.equal((await everseed(context, [...init, "--token-file", "token"], inFolder)).exit, 0);
  // A file before the large one, so that in v1 pieces begin in the middle of files.
  await mkdir(join(folder, "talks"));
  await writeFile(join(folder, "talks/a.txt"), randomBytes(1_001));
  await writeFile(join(folder, "talks/big.bin"), randomBytes(SIZE));
  const hub = new EverseedProcess(
    context,
    ["hub", "start", "--data", "data", "--port", "0", "--json"],
    { ...inFolder, env: { EVERSEED_ENGINE_PORT: "0", EVERSEED_TRACKER_UDP_PORT: "0" } },
  );
  const to = ["--to", `http://127.0.0.1:${await hub.port()}`, "--token-file", "token", "--json"];
  const pages = new Set<string>();
  for (const kind of ["v1", "hybrid", "v2"]) {
    const args = ["publish", "talks", "--kind", kind, ...to];
    const done = await everseed(context, args, inFolder);
    assert.equal(done.exit, 0, done.stderr);
    pages.add((JSON.parse(done.stdout) as { pageUrl: string }).pageUrl);
  }
  assert.equal(pages.size, 3);

  const copies = async () => {
    const names = await readdir(join(folder, "data/content"), { recursive: true });
    const paths = names.filter((name) => name.endsWith("/big.bin"));
    return Promise.all(paths.map((name) => stat(join(folder, "data/content", name))));
  };
  // Files are linked after the torrents are public.
  const until = performance.now() + WAIT_MS;
  while ((await copies()).some(({ nlink }) => nlink !== 3)) {
    assert.ok(performance.now() < until, JSON.stringify(await copies()));
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const inodes = (await copies()).map(({ ino, blocks }) => [ino, blocks * 512 < SIZE * 1.1]);
  assert.deepEqual(inodes, Array(3).fill([inodes[0]![0], true]));

  hub.child.kill("SIGTERM");
  await hub.finished;
  const whole = await readFile(join(folder, "talks/big.bin"));
  for (const name of await readdir(join(folder, "data/content"), { recursive: true })) {
    if (!name.endsWith("/big.bin")) continue;
    assert.ok((await readFile(join(folder, "data/content", name))).equals(whole), name);
  }
});
