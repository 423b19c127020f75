import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { everseed, EverseedProcess, temporaryFolder } from "./everseed-process.ts";

const PORTS = { EVERSEED_ENGINE_PORT: "0", EVERSEED_TRACKER_UDP_PORT: "0" };
/** The only field in which two creations of the same torrent differ. */
const DATE = /13:creation datei\d+e/;

test("the hub publishes the same file that create makes, apart from the date", async (context) => {
  const folder = temporaryFolder(context);
  await mkdir(join(folder, "talks/slides"), { recursive: true });
  await writeFile(join(folder, "talks/a.bin"), randomBytes(700_000));
  await writeFile(join(folder, "talks/slides/b.pdf"), randomBytes(40_000));
  await writeFile(join(folder, "talks/empty"), "");
  await writeFile(join(folder, "talks/run.sh"), "#!/bin/sh\n", { mode: 0o755 });
  await writeFile(join(folder, "password"), "a harbour full of fog", { mode: 0o600 });
  const init = ["hub", "init", "--data", "data", "--admin", "ann", "--password-file", "password"];
  const made = await everseed(context, [...init, "--token-file", "token"], { cwd: folder });
  assert.equal(made.exit, 0, made.stderr);
  const start = ["hub", "start", "--data", "data", "--port", "0", "--json"];
  const hub = new EverseedProcess(context, start, { cwd: folder, env: PORTS });
  const to = ["--to", `http://127.0.0.1:${await hub.port()}`, "--token-file", "token", "--json"];

  for (const [path, ...settings] of [
    ["talks"],
    ["talks", "--kind", "v1", "--piece-size", "64K"],
    ["talks", "--kind", "v2", "--private"],
    ["talks/a.bin"],
  ] as const) {
    const published = await everseed(context, ["publish", path, ...settings, ...to], {
      cwd: folder,
    });
    assert.equal(published.exit, 0, published.stderr);
    const { torrentUrl } = JSON.parse(published.stdout) as { torrentUrl: string };
    const theirs = Buffer.from(await (await fetch(torrentUrl)).arrayBuffer());

    const shown = await everseed(context, ["show", torrentUrl, "--json"], { cwd: folder });
    const { trackers, webSeeds } = JSON.parse(shown.stdout) as {
      trackers: string[][];
      webSeeds: string[];
    };
    const tiers = trackers.flatMap((tier) => ["--tracker", tier.join(",")]);
    const seeds = webSeeds.flatMap((url) => ["--web-seed", url]);
    const create = [
      "create",
      path,
      ...settings,
      ...tiers,
      ...seeds,
      "-o",
      "own.torrent",
      "--force",
    ];
    const created = await everseed(context, create, { cwd: folder });
    assert.equal(created.exit, 0, created.stderr);
    const ours = await readFile(join(folder, "own.torrent"));

    const [a, b] = [theirs, ours].map((bytes) => bytes.toString("latin1"));
    assert.match(a!, DATE);
    assert.equal(a!.includes("4:attr1:x"), path === "talks", "a program is told from other files");
    assert.equal(a!.replace(DATE, ""), b!.replace(DATE, ""), `${path} ${settings.join(" ")}`);
  }
});
