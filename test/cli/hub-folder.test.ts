import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { listFiles } from "../../src/platform/walk-files.ts";
import { everseed, EverseedProcess, temporaryFolder } from "./everseed-process.ts";

const PORTS = { EVERSEED_ENGINE_PORT: "0", EVERSEED_TRACKER_UDP_PORT: "0" };

/** A user's folder with the data folder of a hub among the things to publish. */
async function prepare(context: TestContext): Promise<string> {
  const cwd = join(temporaryFolder(context), "srv");
  await mkdir(join(cwd, "c/talks"), { recursive: true });
  await writeFile(join(cwd, "c/talks/a.bin"), randomBytes(50_000));
  await writeFile(join(cwd, "../password"), "a harbour full of fog", { mode: 0o600 });
  const init = ["hub", "init", "--data", "data", "--admin", "ann"];
  const secrets = ["--password-file", "../password", "--token-file", "../token"];
  const made = await everseed(context, [...init, ...secrets], { cwd });
  assert.equal(made.exit, 0, made.stderr);
  await mkdir(join(cwd, "data/content/aa"), { recursive: true });
  await writeFile(join(cwd, "data/content/aa/x.bin"), "x");
  await symlink("data", join(cwd, "other"));
  await symlink("../data/everseed.db", join(cwd, "c/db"));
  return cwd;
}

for (const path of [".", "data", "data/content", "data/content/aa/x.bin", "other/keys", "c/db"]) {
  test(`publish --in-place ${path} is refused where it would publish a hub's keys`, async (context) => {
    const cwd = await prepare(context);
    const result = await everseed(
      context,
      ["publish", "--in-place", path, "--data", "data", "--json"],
      { cwd },
    );
    assert.equal(result.exit, 2, result.stdout);
    assert.match(result.stderr, /data folder of a hub.*keys and passwords/);
    assert.equal(existsSync(join(cwd, "data/in-place")), false, "nothing is asked of the hub");
  });
}

test("create, seed and publish skip a hub's data folder and say so, and refuse to take it alone", async (context) => {
  const cwd = await prepare(context);
  const out = join(cwd, "../srv.torrent");
  const created = await everseed(context, ["create", ".", "-o", out], { cwd });
  assert.equal(created.exit, 0, created.stderr);
  assert.match(created.stderr, /data is left out: it is the data folder of a hub/);
  const bytes = await readFile(out, "latin1");
  assert.doesNotMatch(bytes, /everseed\.db|session|everseed\.yaml/);
  assert.match(bytes, /a\.bin/);
  const hub = new EverseedProcess(
    context,
    ["hub", "start", "--data", "data", "--port", "0", "--json"],
    { cwd, env: PORTS },
  );
  const to = ["--to", `http://127.0.0.1:${await hub.port()}`, "--token-file", "../token"];
  const published = await everseed(context, ["publish", ".", ...to], { cwd });
  assert.equal(published.exit, 0, published.stderr);
  assert.match(published.stderr, /data is left out: it is the data folder of a hub/);
  for (const path of ["data", "data/keys", "data/everseed.db", "other", "c/db"]) {
    for (const command of [
      ["create", path, "-o", `${out}.2`],
      ["seed", path],
      ["publish", path, ...to],
    ]) {
      const refused = await everseed(context, command, { cwd });
      assert.equal(refused.exit, 2, `${command.join(" ")}: ${refused.stdout}`);
      assert.match(refused.stderr, /data folder of a hub/);
    }
  }
  assert.deepEqual(
    (await readdir(cwd)).toSorted(),
    ["c", "data", "other"],
    "no torrent was written",
  );
});

test("a folder with the mark of a hub is skipped wherever it is, and nothing else is (MET-24)", async (context) => {
  const root = temporaryFolder(context);
  await mkdir(join(root, "a/hub/keys"), { recursive: true });
  await writeFile(join(root, "a/hub/mark"), "");
  await writeFile(join(root, "a/hub/keys/session"), "");
  await writeFile(join(root, "a/plain"), "");
  const { files, skipped } = await listFiles(root, { seal: "mark" });
  assert.deepEqual(
    files.map(({ path }) => path.join("/")),
    ["a/plain"],
  );
  assert.deepEqual(skipped, [{ path: ["a", "hub"], why: "sealed" }]);
});
