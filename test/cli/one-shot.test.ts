import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { mkdir, readdir, readFile, symlink, truncate, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { everseed, EverseedProcess, LAUNCHER, temporaryFolder } from "./everseed-process.ts";
import { startSeed, talks } from "./talks.ts";

for (const kind of ["v1", "v2", "hybrid"]) {
  test(`create, show, check, seed and get a ${kind} torrent`, async (context) => {
    const { folder, created } = await talks(context, "--kind", kind);
    assert.equal(created["bytes"], 3_100_000);
    assert.equal(typeof created["infohashV1"], kind === "v2" ? "object" : "string");
    assert.equal(typeof created["infohashV2"], kind === "v1" ? "object" : "string");

    const shown = await everseed(context, ["show", "--json", "talks.torrent"], { cwd: folder });
    const metainfo = JSON.parse(shown.stdout) as Record<string, unknown>;
    assert.equal(metainfo["kind"], kind);
    assert.equal(metainfo["pieces"], created["pieces"]);
    assert.deepEqual(
      new Set(metainfo["paths"] as string[]),
      new Set(["talks/a.bin", "talks/empty", "talks/slides/b.pdf"]),
    );

    const checked = await everseed(context, ["check", "talks.torrent", "."], { cwd: folder });
    assert.equal(checked.exit, 0, checked.stderr);
    assert.match(checked.stdout, /^All good: /);

    const seedArgs = ["seed", "talks.torrent", "--data", ".", "--listen", "127.0.0.1:0", "--json"];
    const seed = new EverseedProcess(context, seedArgs, { cwd: folder });
    const peer = `127.0.0.1:${await seed.port()}`;
    const got = await everseed(
      context,
      ["get", "talks.torrent", "-o", "copy", "--peer", peer, "--listen", "127.0.0.1:0", "--json"],
      { cwd: folder },
    );
    assert.equal(got.exit, 0, got.stderr);
    const events = got.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { event: string });
    assert.equal(events[0]?.event, "ready");
    assert.equal(events.at(-1)?.event, "done");
    for (const file of ["a.bin", "slides/b.pdf", "empty"]) {
      const [ours, theirs] = await Promise.all([
        readFile(join(folder, "talks", file)),
        readFile(join(folder, "copy/talks", file)),
      ]);
      assert.ok(ours.equals(theirs), file);
    }
    assert.deepEqual(await readdir(join(folder, "copy")), ["talks"], "nothing of ours stays");

    seed.child.kill("SIGINT");
    assert.equal((await seed.finished).exit, 0, "a seed ends by a signal");
  });
}

test("get accepts a magnet link, and fetches only the selected files", async (context) => {
  const { folder, created } = await talks(context);
  const seedArgs = ["seed", "talks.torrent", "--data", ".", "--listen", "127.0.0.1:0", "--json"];
  const seed = new EverseedProcess(context, seedArgs, { cwd: folder });
  const peer = `127.0.0.1:${await seed.port()}`;
  const args = ["get", String(created["magnet"]), "--peer", peer, "--listen", "127.0.0.1:0"];
  const select = ["-o", "copy", "--select", "*.pdf"];
  const got = await everseed(context, [...args, ...select], { cwd: folder });
  assert.equal(got.exit, 0, got.stderr);
  assert.match(got.stdout, /^Done in .*, checked\. Seeding is off; use --seed to help others\.$/m);
  assert.deepEqual(await readdir(join(folder, "copy/talks"), { recursive: true }), [
    "slides",
    "slides/b.pdf",
  ]);
  const none = await everseed(
    context,
    ["get", "talks.torrent", "-o", "none", "--select", "*.mp4", "--listen", "127.0.0.1:0"],
    { cwd: folder },
  );
  assert.equal(none.exit, 3);
  assert.match(none.stderr, /No file of talks matches \*\.mp4\.\n {2}Try: everseed show lists/);
});

test("CLI-6: a closed terminal ends a seed cleanly, and one under nohup continues", async (context) => {
  const { folder } = await talks(context);
  const args = ["seed", "talks.torrent", "--data", ".", "--listen", "127.0.0.1:0", "--json"];
  const plain = new EverseedProcess(context, args, { cwd: folder });
  await plain.port();
  plain.child.kill("SIGHUP");
  assert.equal((await plain.finished).exit, 0);

  const lasting = new EverseedProcess(context, args, { cwd: folder, by: "nohup" });
  await lasting.port();
  lasting.child.kill("SIGHUP");
  await lasting.waitFor(/"event":"stats".*\n.*"event":"stats"/s);
  lasting.child.kill("SIGTERM");
  assert.equal((await lasting.finished).exit, 0);
});

test("CLI-6: a get that is stopped while it checks existing files says so, and prints no figure", async (context) => {
  const folder = temporaryFolder(context);
  await mkdir(join(folder, "copy"));
  // Sparse: much to judge, and nothing on the disk.
  await writeFile(join(folder, "copy/zeros"), "");
  await truncate(join(folder, "copy/zeros"), 256 * 1024 * 1024);
  const made = await everseed(context, ["create", "copy/zeros"], { cwd: folder });
  assert.equal(made.exit, 0, made.stderr);
  const args = ["get", "zeros.torrent", "-o", "copy", "--listen", "127.0.0.1:0", "--adopt"];
  for (const json of [false, true]) {
    const get = new EverseedProcess(context, json ? [...args, "--json"] : args, { cwd: folder });
    await get.waitFor(json ? /"event":"metadata"/ : /zeros/);
    get.child.kill("SIGINT");
    const { exit, stdout, stderr } = await get.finished;
    assert.equal(exit, 130, stderr);
    if (json) assert.match(stdout, /"event":"stopped","doneBytes":null,/);
    else
      assert.match(stderr, /Stopped before what is there was checked\. The same command goes on/);
  }
});

test("CLI-6: a killed get resumes where it was, an interrupted one ends with 130", async (context) => {
  const { folder } = await talks(context);
  const seedArgs = ["seed", "talks.torrent", "--data", ".", "--listen", "127.0.0.1:0", "--json"];
  const seed = new EverseedProcess(context, [...seedArgs, "--up", "600K"], { cwd: folder });
  const peer = `127.0.0.1:${await seed.port()}`;
  const args = ["get", "talks.torrent", "-o", "copy", "--peer", peer, "--json"];
  const slow = new EverseedProcess(context, [...args, "--listen", "127.0.0.1:0"], { cwd: folder });
  await slow.waitFor(/"event":"stats".*"doneBytes":[1-9]/);
  slow.child.kill("SIGINT");
  assert.equal((await slow.finished).exit, 130);
  assert.ok((await readdir(join(folder, "copy"))).some((name) => name.endsWith("-resume")));

  const again = new EverseedProcess(context, [...args, "--listen", "127.0.0.1:0"], { cwd: folder });
  const first = await again.waitFor(/"event":"stats","phase":"downloading".*"doneBytes":(\d+)/);
  assert.ok(Number(first[1]) > 0, "what was there is known at once");
  again.child.kill("SIGKILL");
  await again.finished;

  seed.child.kill("SIGINT");
  const fast = new EverseedProcess(context, seedArgs, { cwd: folder });
  const fastPeer = `127.0.0.1:${await fast.port()}`;
  const last = await everseed(
    context,
    ["get", "talks.torrent", "-o", "copy", "--peer", fastPeer, "--listen", "127.0.0.1:0", "--json"],
    { cwd: folder },
  );
  assert.equal(last.exit, 0, last.stderr);
  const checked = await everseed(context, ["check", "talks.torrent", "copy"], { cwd: folder });
  assert.equal(checked.exit, 0, checked.stdout);
  assert.deepEqual(await readdir(join(folder, "copy")), ["talks"]);
});

test("MET-3: names that only some systems accept are seeded unchanged, and fetched in a form that all accept", async (context) => {
  const folder = temporaryFolder(context);
  const names = ["what?", "CON", "dots...", "a: b"];
  await mkdir(join(folder, "talks?"));
  for (const name of names) await writeFile(join(folder, "talks?", name), name);
  const made = await everseed(context, ["create", "talks?", "-o", "t.torrent"], { cwd: folder });
  assert.match(made.stderr, /warning: talks\?\/CON is stored as talks_\/_CON by everseed get/);
  const seedArgs = ["seed", "t.torrent", "--data", ".", "--listen", "127.0.0.1:0", "--json"];
  const seed = new EverseedProcess(context, seedArgs, { cwd: folder });
  const peer = `127.0.0.1:${await seed.port()}`;
  const args = ["get", "t.torrent", "-o", "copy", "--peer", peer, "--listen", "127.0.0.1:0"];
  const got = await everseed(context, args, { cwd: folder });
  assert.equal(got.exit, 0, got.stderr);
  const stored = await readdir(join(folder, "copy/talks_"));
  assert.deepEqual(stored.toSorted(), ["_CON", "a_ b", "dots.._", "what_"]);
  for (const place of [".", "talks?", "copy", "copy/talks_"]) {
    const checked = await everseed(context, ["check", "t.torrent", place], { cwd: folder });
    assert.equal(checked.exit, 0, `${place}: ${checked.stdout}`);
  }
});

test("memory stays below 250 MiB on both sides when two pieces are half a gigabyte", async (context) => {
  const folder = temporaryFolder(context);
  await writeFile(join(folder, "big"), "");
  await truncate(join(folder, "big"), 300 * 1024 ** 2);
  const create = ["create", "big", "-o", "talks.torrent", "--piece-size", "256M", "--kind", "v1"];
  const made = await everseed(context, create, { cwd: folder });
  assert.equal(made.exit, 0, made.stderr);
  const { seed, peer } = await startSeed(context, folder);
  const args = ["get", "talks.torrent", "-o", "copy", "--seed", "forever", "--peer", peer];
  const listen = ["--listen", "127.0.0.1:0", "--json"];
  const get = new EverseedProcess(context, [...args, ...listen], { cwd: folder });
  await get.waitFor(/"event":"done"/);
  for (const { child } of [seed, get]) {
    const status = await readFile(`/proc/${child.pid}/status`, "utf8");
    const peakMiB = Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024;
    assert.ok(peakMiB < 250, `${peakMiB} MiB`);
  }
});

test("STO-14: get removes the leftovers of a killed run from its folder, and nothing else", async (context) => {
  const { folder } = await talks(context);
  await mkdir(join(folder, "copy"));
  for (const name of [".old.1.everseed-tmp", ".new.2.everseed-tmp", "mine.tmp"]) {
    await writeFile(join(folder, "copy", name), "half");
  }
  const twoHoursAgo = new Date(Date.now() - 2 * 60 * 60 * 1000);
  await utimes(join(folder, "copy/.old.1.everseed-tmp"), twoHoursAgo, twoHoursAgo);
  const args = ["get", "talks.torrent", "-o", "copy", "--listen", "127.0.0.1:0", "--json"];
  const get = new EverseedProcess(context, args, { cwd: folder });
  await get.port();
  const left = await readdir(join(folder, "copy"));
  assert.deepEqual(
    left.filter((name) => name.endsWith("tmp")),
    [".new.2.everseed-tmp", "mine.tmp"],
  );
});

test("seed reports once which tracker fails, and why", async (context) => {
  const tracker = "http://127.0.0.1:9/announce";
  const { folder } = await talks(context, "--tracker", tracker);
  const args = ["seed", "talks.torrent", "--data", ".", "--listen", "127.0.0.1:0"];
  const seed = new EverseedProcess(context, args, { cwd: folder });
  await seed.waitFor(/^warning: http:\/\/127\.0\.0\.1:9 does not list us: no reply from .*\.\n/m);
  seed.child.kill("SIGINT");
  const { exit, stderr } = await seed.finished;
  assert.equal(exit, 0);
  assert.equal(stderr.match(/does not list us/g)?.length, 1);
  assert.doesNotMatch(stderr, /\.\./);
});

test("check lists the bad pieces of each file and ends with 7", async (context) => {
  const { folder } = await talks(context);
  await truncate(join(folder, "talks/slides/b.pdf"), 99_999);
  const args = ["check", "talks.torrent", "talks", "--json"];
  const { exit, stdout } = await everseed(context, args, { cwd: folder });
  assert.equal(exit, 7);
  const checked = JSON.parse(stdout) as { ok: boolean; files: { path: string; bad: number }[] };
  assert.equal(checked.ok, false);
  const bad = checked.files.filter((file) => file.bad > 0);
  assert.deepEqual(
    bad.map(({ path, bad }) => [path, bad]),
    [["talks/slides/b.pdf", 1]],
  );
});

test("the same input and settings give the same torrent, and special files are left out", async (context) => {
  const { folder } = await talks(context);
  await symlink("/etc/passwd", join(folder, "talks/link"));
  const args = ["create", "talks", "-o", "again.torrent", "--no-date"];
  const again = await everseed(context, args, { cwd: folder });
  assert.match(again.stderr, /warning: link is left out: it is a link/);
  const [first, second] = await Promise.all(
    ["talks.torrent", "again.torrent"].map((name) => readFile(join(folder, name))),
  );
  assert.ok(first!.equals(second!));
});

test("STO-12: names of 255 bytes can be created, seeded, fetched and checked", async (context) => {
  const folder = temporaryFolder(context);
  // 255 bytes of UTF-8 each.
  const names = ["n".repeat(255), "\u00e9".repeat(127) + "x", "\u6f22".repeat(85)];
  await mkdir(join(folder, "long", names[0]!), { recursive: true });
  for (const name of names) await writeFile(join(folder, "long", names[0]!, name), name);
  const made = await everseed(context, ["create", "long", "-o", "talks.torrent"], { cwd: folder });
  assert.equal(made.exit, 0, made.stderr);
  const { peer } = await startSeed(context, folder);
  const args = ["get", "talks.torrent", "-o", "copy", "--peer", peer, "--listen", "127.0.0.1:0"];
  const got = await everseed(context, args, { cwd: folder });
  assert.equal(got.exit, 0, got.stderr);
  const stored = await readdir(join(folder, "copy/long", names[0]!));
  assert.deepEqual(stored.toSorted(), names.toSorted());
  // `NAME.torrent` itself would be too long.
  const whole = ["create", join("long", names[0]!)];
  assert.equal((await everseed(context, whole, { cwd: folder })).exit, 0);
  assert.ok((await readdir(folder)).includes(`${"n".repeat(247)}.torrent`));
});

test("CLI-1: names cannot control a terminal, CLI-4: names may begin with a dash", async (context) => {
  const folder = temporaryFolder(context);
  await writeFile(join(folder, "-rf"), "x");
  const made = await everseed(
    context,
    ["create", "-o", "x.torrent", "--name", "a\u001b[2Jb\u202ec\u009b", "--", "-rf"],
    { cwd: folder },
  );
  assert.equal(made.exit, 0, made.stderr);
  for (const json of [[], ["--json"]]) {
    const { stdout, stderr } = await everseed(context, ["show", "x.torrent", ...json], {
      cwd: folder,
    });
    assert.doesNotMatch(stdout + stderr, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
  }
});

for (const args of [[], ["create"], ["get"], ["seed"], ["show"], ["check"], ["version"]]) {
  test(`everseed ${args.join(" ")} --help begins with an example and fits 80 columns`, async (context) => {
    const { exit, stdout, stderr } = await everseed(context, [...args, "--help"]);
    assert.equal(exit, 0, stderr);
    assert.match(stdout, /^Examples?:\n {2}everseed /);
    for (const line of stdout.split("\n")) assert.ok(line.length <= 80, line);
  });
}

test("CLI-5: output that cannot be written is reported as an error", (context) => {
  const folder = temporaryFolder(context);
  for (const args of [["--help"], ["--version"], ["version", "--json"], ["help", "get"]]) {
    const full = openSync("/dev/full", "w");
    const { status, stderr } = spawnSync(LAUNCHER, args, {
      cwd: folder,
      encoding: "utf8",
      stdio: ["ignore", full, "pipe"],
    });
    closeSync(full);
    assert.equal(status, 8, `${args.join(" ")}: ${stderr}`);
    assert.match(stderr, /^everseed: Cannot write the output: .*no space left.*\n {2}Try: .*\n$/);
  }
});

test("CLI-5: when the reader leaves early, the command stays quiet", async (context) => {
  const { folder } = await talks(context);
  const script = '"$1" show talks.torrent --json | head -c 1; "$1" --help | head -n 1';
  const options = { cwd: folder, encoding: "utf8" } as const;
  const { stdout, stderr } = spawnSync("sh", ["-c", script, "sh", LAUNCHER], options);
  assert.equal(stdout, "{Examples:\n");
  assert.equal(stderr, "");
});

test("CLI-6: an interrupted create leaves nothing behind and ends with 130", async (context) => {
  const folder = temporaryFolder(context);
  await writeFile(join(folder, "huge"), "");
  await truncate(join(folder, "huge"), 64 * 1024 ** 3);
  const create = new EverseedProcess(context, ["create", "huge"], { cwd: folder });
  await create.waitFor(/^huge: 1 file, 64\.0 GiB/m);
  create.child.kill("SIGINT");
  const { exit, stdout, stderr } = await create.finished;
  assert.equal(exit, 130);
  assert.equal(stdout, "");
  assert.equal(stderr.split("\n").at(-2), "Stopping. Interrupt again to stop at once.");
  assert.deepEqual(await readdir(folder), ["huge"]);
});

test("EVERSEED_DEBUG=1 shows the stack", async (context) => {
  const options = { env: { EVERSEED_DEBUG: "1" } };
  const { stderr } = await everseed(context, ["show", "none.torrent"], options);
  assert.match(stderr, /^\s+at /m);
});
