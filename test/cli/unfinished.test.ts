import assert from "node:assert/strict";
import { readdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { until } from "../fixtures/until.ts";
import { everseed, EverseedProcess } from "./everseed-process.ts";
import { startSeed, talks } from "./talks.ts";

/** Downloads until some data is there, then stops. @returns The output, and the file names. */
async function begin(
  context: TestContext,
  world: { readonly folder: string; readonly peer: string },
  signal: "SIGINT" | "SIGKILL",
  ...flags: string[]
) {
  const args = ["get", "talks.torrent", "-o", "copy", "--peer", world.peer];
  const listen = ["--listen", "127.0.0.1:0", "--progress", "plain"];
  const json = signal === "SIGKILL" ? ["--json"] : [];
  const get = new EverseedProcess(context, [...args, ...listen, ...json, ...flags], {
    cwd: world.folder,
  });
  await get.waitFor(signal === "SIGKILL" ? /"phase":"downloading"/ : /talks: /);
  // The first resume claims what existed at the beginning; later ones claim pieces.
  const isEnough = async (): Promise<boolean> =>
    signal === "SIGKILL"
      ? (await resumeAgeMs(world.folder)) > 0 && (await occupied(world.folder)) > 0
      : (await occupied(world.folder)) > 500_000;
  await until("enough of it is there", isEnough);
  get.child.kill(signal);
  return { ...(await get.finished), names: await content(world.folder) };
}

/** @returns Milliseconds between the first resume and the newest; 0 while there is at most one. */
async function resumeAgeMs(folder: string): Promise<number> {
  const copy = join(folder, "copy");
  const name = (await readdir(copy)).find((entry) => entry.endsWith("-resume"));
  if (name === undefined) return 0;
  const { mtimeMs } = await stat(join(copy, name));
  const first = FIRST_RESUMES.get(folder) ?? mtimeMs;
  FIRST_RESUMES.set(folder, first);
  return mtimeMs - first;
}

const FIRST_RESUMES = new Map<string, number>();

/** Bytes of everything that was fetched. */
async function occupied(folder: string): Promise<number> {
  let blocks = 0;
  for (const name of await content(folder))
    // It may get its final name meanwhile.
    blocks += (await stat(join(folder, "copy", name)).catch(() => undefined))?.blocks ?? 0;
  return blocks * 512;
}

async function content(folder: string): Promise<string[]> {
  const names = await readdir(join(folder, "copy"), { recursive: true }).catch(() => []);
  return names.filter((name) => !name.startsWith(".") && name.includes("/")).toSorted();
}

async function slowly(context: TestContext) {
  const { folder } = await talks(context);
  const { seed, peer } = await startSeed(context, folder, "--up", "300K");
  return { folder, seed, peer };
}

const WHOLE = ["talks/a.bin", "talks/empty", "talks/slides", "talks/slides/b.pdf"];

/** Downloads the rest. @returns How many bytes were known when it began. */
async function finish(context: TestContext, folder: string, ...flags: string[]) {
  const { peer } = await startSeed(context, folder);
  const args = ["get", "talks.torrent", "-o", "copy", "--peer", peer, "--listen", "127.0.0.1:0"];
  const got = await everseed(context, [...args, "--json", "--down", "1M", ...flags], {
    cwd: folder,
  });
  assert.equal(got.exit, 0, got.stderr);
  assert.deepEqual(await content(folder), WHOLE);
  assert.deepEqual(await readdir(join(folder, "copy")), ["talks"]);
  const first = /"event":"stats","phase":"downloading".*?"doneBytes":(\d+)/.exec(got.stdout);
  assert.ok(first, got.stdout);
  return Number(first[1]);
}

test("unfinished files end in .part until they are whole; Ctrl-C says that the same command continues", async (context) => {
  const world = await slowly(context);
  const { folder } = world;
  const { exit, stderr, names } = await begin(context, world, "SIGINT");
  assert.equal(exit, 130);
  assert.match(
    stderr,
    /^Stopping\. Interrupt again to stop at once\.\nStopped at \d+ %\. The same command goes on from there\. Unfinished files end in \.part\.\n$/m,
  );
  assert.ok(names.includes("talks/a.bin.part"), String(names));
  assert.ok(!names.includes("talks/a.bin"));
  assert.ok(names.includes("talks/empty"));

  const checked = await everseed(context, ["check", "talks.torrent", "copy"], { cwd: folder });
  assert.equal(checked.exit, 7);
  assert.match(checked.stdout, /^unfinished +\d+ pieces +talks\/a\.bin$/m);
  const args = ["check", "talks.torrent", "copy", "--json"];
  const json = JSON.parse((await everseed(context, args, { cwd: folder })).stdout) as {
    good: number;
    files: { path: string; missing: boolean; unfinished: boolean }[];
  };
  const file = json.files.find(({ path }) => path === "talks/a.bin");
  assert.deepEqual([file?.missing, file?.unfinished], [false, true]);

  const seeded = await everseed(context, ["seed", "talks.torrent", "--data", "copy"], {
    cwd: folder,
  });
  assert.equal(seeded.exit, 3);
  assert.match(seeded.stderr, /talks\/a\.bin is not finished\. .*\n {2}Try: everseed get into/);
  world.seed.child.kill("SIGINT");
  assert.ok((await finish(context, folder)) > 0, "what was there is known at once");
});

test("a download that began with final names, or by an older program, continues", async (context) => {
  const world = await slowly(context);
  const { names } = await begin(context, world, "SIGKILL", "--final-names");
  assert.ok(names.includes("talks/a.bin"), String(names));
  assert.ok(!names.some((name) => name.endsWith(".part")));
  world.seed.child.kill("SIGINT");
  assert.ok((await finish(context, world.folder)) > 0, "what was there is known at once");
});

test("--final-names continues a download under other names, and leaves foreign files alone", async (context) => {
  const world = await slowly(context);
  const { names } = await begin(context, world, "SIGKILL");
  assert.ok(names.includes("talks/a.bin.part"), String(names));
  world.seed.child.kill("SIGINT");
  await writeFile(join(world.folder, "copy/other.part"), "mine");
  await writeFile(join(world.folder, "copy/talks/empty.part"), "mine");
  const again = await begin(
    context,
    { ...world, peer: (await startSeed(context, world.folder, "--up", "300K")).peer },
    "SIGKILL",
    "--final-names",
  );
  assert.ok(again.names.includes("talks/a.bin"), String(again.names));
  assert.ok(!again.names.includes("talks/a.bin.part"));
  assert.ok(again.names.includes("talks/empty.part"));
});

test("a file that took the place of a download is not overwritten", async (context) => {
  const world = await slowly(context);
  await begin(context, world, "SIGINT");
  const { peer } = world;
  const args = ["get", "talks.torrent", "-o", "copy", "--peer", peer, "--listen", "127.0.0.1:0"];
  const get = new EverseedProcess(context, [...args, "--json"], { cwd: world.folder });
  await get.waitFor(/"event":"stats","phase":"downloading"/);
  await writeFile(join(world.folder, "copy/talks/a.bin"), "mine");
  const { exit, stderr } = await get.finished;
  assert.equal(exit, 4, stderr);
  assert.match(stderr, /talks\/a\.bin is there already/);
});
