import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import {
  appendFile,
  link,
  lstat,
  mkdir,
  open,
  readdir,
  readFile,
  rm,
  symlink,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { assertSameBytes } from "../fixtures/same-bytes.ts";
import { everseed, EverseedProcess, temporaryFolder } from "./everseed-process.ts";

/** A folder with content and its torrent, and a seed of it. @param names - Of the torrent, then of files in it. */
async function world(context: TestContext, files: Readonly<Record<string, Buffer>>) {
  const folder = temporaryFolder(context);
  const source = join(folder, "source");
  for (const [path, bytes] of Object.entries(files)) {
    await mkdir(join(source, path, ".."), { recursive: true });
    await writeFile(join(source, path), bytes);
  }
  const [top = ""] = Object.keys(files)[0]!.split("/");
  const made = await everseed(context, ["create", top, "-o", "../t.torrent"], { cwd: source });
  assert.equal(made.exit, 0, made.stderr);
  const args = ["seed", "../t.torrent", "--data", ".", "--listen", "127.0.0.1:0", "--json"];
  const seed = new EverseedProcess(context, args, { cwd: source });
  const peer = `127.0.0.1:${await seed.port()}`;
  const home = join(folder, "home");
  await mkdir(home);
  const get = (...flags: string[]) =>
    everseed(
      context,
      ["get", "../t.torrent", "--peer", peer, "--listen", "127.0.0.1:0", ...flags],
      { cwd: home },
    );
  return { folder, source, home, seed, get };
}

const BIG = 400_000;

async function mkdirs(path: string): Promise<string> {
  await mkdir(path, { recursive: true });
  return path;
}

test("CLI-11: get does not overwrite anything that it did not create", async (context) => {
  const files = { "notes.txt": randomBytes(BIG) };
  const { home, folder, get } = await world(context, files);
  const mine = randomBytes(BIG + 5);
  await writeFile(join(home, "notes.txt"), mine);
  await link(join(home, "notes.txt"), join(folder, "linked"));

  const refused = await get();
  assert.equal(refused.exit, 4);
  assert.match(refused.stderr, /Nothing is overwritten: .*\/home\/notes\.txt is there/m);
  assert.match(refused.stderr, /--rename[^]*--adopt/);
  assertSameBytes(await readFile(join(home, "notes.txt")), mine);

  const renamed = await get("--rename");
  assert.equal(renamed.exit, 0, renamed.stderr);
  assert.deepEqual((await readdir(home)).toSorted(), ["notes (old).txt", "notes.txt"]);
  assertSameBytes(await readFile(join(home, "notes (old).txt")), mine);
  assertSameBytes(await readFile(join(home, "notes.txt")), files["notes.txt"]);

  await rm(join(home, "notes.txt"));
  await link(join(folder, "linked"), join(home, "notes.txt"));
  const adopted = await get("--adopt");
  assert.equal(adopted.exit, 0, adopted.stderr);
  assertSameBytes(await readFile(join(home, "notes.txt")), files["notes.txt"]);
  assertSameBytes(await readFile(join(folder, "linked")), mine, "a hard link elsewhere");
});

test("CLI-11: a complete copy is accepted, even under other names; a longer one is refused, and truncated by --adopt", async (context) => {
  const files = { "talks/a.bin": randomBytes(BIG), "talks/b.bin": randomBytes(1_000) };
  const { home, folder, get } = await world(context, files);
  await mkdir(join(home, "talks"));
  for (const [path, bytes] of Object.entries(files)) await writeFile(join(home, path), bytes);
  await link(join(home, "talks/a.bin"), join(folder, "linked"));
  const before = await lstat(join(home, "talks/a.bin"));

  const whole = await get();
  assert.equal(whole.exit, 0, whole.stderr);
  assert.match(whole.stdout, /^All of it is there, checked\./m);
  const after = await lstat(join(home, "talks/a.bin"));
  assert.deepEqual(
    [after.ino, after.mtimeMs, after.nlink],
    [before.ino, before.mtimeMs, before.nlink],
  );

  await appendFile(join(home, "talks/b.bin"), "a line of mine");
  const longer = await get();
  assert.equal(longer.exit, 4, longer.stderr);
  assert.match(longer.stderr, /\/talks\/b\.bin is there already/);
  const cut = await get("--adopt");
  assert.equal(cut.exit, 0, cut.stderr);
  assertSameBytes(await readFile(join(home, "talks/b.bin")), files["talks/b.bin"]);
});

test("CLI-11: missing files are fetched beside right ones, which are not touched", async (context) => {
  // Small files share a piece, so that none can be judged alone.
  const files = Object.fromEntries(
    Array.from({ length: 6 }, (_, i) => [`talks/${i}.bin`, randomBytes(5_000 + i)]),
  );
  const { home, get } = await world(context, files);
  await mkdir(join(home, "talks"));
  for (const name of ["talks/1.bin", "talks/4.bin"])
    await writeFile(join(home, name), files[name]!);
  const before = await lstat(join(home, "talks/4.bin"));
  const got = await get();
  assert.equal(got.exit, 0, got.stderr);
  for (const [path, bytes] of Object.entries(files)) {
    assertSameBytes(await readFile(join(home, path)), bytes, path);
  }
  const after = await lstat(join(home, "talks/4.bin"));
  assert.deepEqual([after.ino, after.mtimeMs], [before.ino, before.mtimeMs]);

  // One of them is foreign, and of the right length: this shows when the piece arrives.
  await rm(join(home, "talks/0.bin"));
  await writeFile(join(home, "talks/4.bin"), Buffer.alloc(5_004, "m"));
  const other = await get();
  assert.equal(other.exit, 4, other.stderr);
  assert.match(other.stderr, /: one of .*\/talks\/4\.bin.* is not what the torrent says/);
  assertSameBytes(await readFile(join(home, "talks/4.bin")), Buffer.alloc(5_004, "m"));
});

test("CLI-11: an obstacle that is not a file is found before anything is written; --rename moves it, --adopt does not", async (context) => {
  const files = { "talks/a.bin": randomBytes(BIG), "talks/b.bin": randomBytes(BIG) };
  const { home, folder, get } = await world(context, files);
  const elsewhere = join(folder, "elsewhere");
  await writeFile(elsewhere, "of somebody");
  for (const [obstacle, make] of [
    ["folder", async (path: string) => writeFile(join(await mkdirs(path), "inside"), "mine")],
    ["symbolic link", (path: string) => symlink(elsewhere, path)],
    ["symbolic link", (path: string) => symlink("/nowhere/at/all", path)],
  ] as const) {
    await mkdir(join(home, "talks"));
    const path = join(home, "talks/b.bin");
    await make(path);
    for (const flags of [[], ["--adopt"], ["--final-names"]]) {
      const refused = await get(...flags);
      assert.equal(refused.exit, 4, refused.stderr);
      const words = `Nothing is overwritten: ${path} is a ${obstacle} where a file should be`;
      assert.match(refused.stderr, new RegExp(words), flags.join());
      assert.deepEqual(await readdir(join(home, "talks")), ["b.bin"], "nothing was written");
    }
    const renamed = await get("--rename");
    assert.equal(renamed.exit, 0, renamed.stderr);
    const names = (await readdir(join(home, "talks"))).toSorted();
    assert.deepEqual(names, ["a.bin", "b (old).bin", "b.bin"]);
    for (const [name, bytes] of Object.entries(files)) {
      assertSameBytes(await readFile(join(home, name)), bytes, name);
    }
    await rm(join(home, "talks"), { recursive: true });
  }
  assert.equal(await readFile(elsewhere, "utf8"), "of somebody");
});

test("CLI-11: an obstacle in the place of a folder is found before anything is written; --rename moves it", async (context) => {
  const files = {
    "talks/a.bin": randomBytes(BIG),
    "talks/day/one/b.bin": randomBytes(BIG),
    "talks/day/two/c.bin": randomBytes(BIG),
  };
  const { home, folder, get } = await world(context, files);
  const elsewhere = await mkdirs(join(folder, "elsewhere"));
  await mkdir(join(elsewhere, "one"));
  await writeFile(join(elsewhere, "one/b.bin"), "of somebody");
  for (const [top, make] of [
    [false, (path: string) => writeFile(path, "a file of mine")],
    [false, (path: string) => symlink(elsewhere, path)],
    [false, (path: string) => symlink("/nowhere/at/all", path)],
    [true, (path: string) => symlink(elsewhere, path)],
  ] as const) {
    const path = join(home, top ? "talks" : "talks/day");
    await mkdirs(join(path, ".."));
    await make(path);
    const before = (await readdir(home, { recursive: true })).toSorted();
    for (const flags of [[], ["--adopt"], ["--final-names"]]) {
      const refused = await get(...flags);
      assert.equal(refused.exit, 4, refused.stderr);
      const words = `Nothing is overwritten: ${path} is no folder where a folder should be`;
      assert.equal(refused.stderr.split(words).length, 2, `said once: ${refused.stderr}`);
      assert.deepEqual((await readdir(home, { recursive: true })).toSorted(), before);
    }
    const renamed = await get("--rename");
    assert.equal(renamed.exit, 0, renamed.stderr);
    for (const [name, bytes] of Object.entries(files)) {
      assertSameBytes(await readFile(join(home, name)), bytes, name);
    }
    assert.ok(await lstat(`${path} (old)`), "it is kept");
    await rm(join(home, "talks"), { recursive: true });
    await rm(`${path} (old)`, { force: true });
  }
  assert.deepEqual((await readdir(elsewhere, { recursive: true })).toSorted(), [
    "one",
    "one/b.bin",
  ]);
  assert.equal(await readFile(join(elsewhere, "one/b.bin"), "utf8"), "of somebody");
});

test("CLI-11: a foreign file with the name of an unfinished one is reported under that name", async (context) => {
  const files = { "notes.txt": randomBytes(BIG) };
  const { home, get } = await world(context, files);
  await writeFile(join(home, "notes.txt.part"), "another program's");
  const refused = await get();
  assert.equal(refused.exit, 4, refused.stderr);
  assert.match(refused.stderr, /\/home\/notes\.txt\.part is there already/);
  const renamed = await get("--rename");
  assert.equal(renamed.exit, 0, renamed.stderr);
  const names = (await readdir(home)).toSorted();
  assert.deepEqual(names, ["notes.txt", "notes.txt (old).part"]);
  assert.equal(await readFile(join(home, "notes.txt (old).part"), "utf8"), "another program's");
});

test("CLI-11: when files share a wrong piece, one of them is wrong, and the message does not guess which", async (context) => {
  const files = Object.fromEntries(
    Array.from({ length: 3 }, (_, i) => [`talks/${i}.bin`, randomBytes(5_000)]),
  );
  const { home, get } = await world(context, files);
  await mkdir(join(home, "talks"));
  for (const [name, bytes] of Object.entries(files)) await writeFile(join(home, name), bytes);
  await writeFile(join(home, "talks/1.bin"), Buffer.alloc(5_000, "m"));
  const unsure = await get();
  assert.equal(unsure.exit, 4, unsure.stderr);
  const three = [0, 1, 2].map((i) => `[^ ]*/talks/${i}\\.bin`).join(", ");
  assert.match(
    unsure.stderr,
    new RegExp(`overwritten: one of ${three} is not what the torrent says`),
  );
  const checked = await everseed(context, ["check", "../t.torrent", "."], { cwd: home });
  assert.equal(checked.stdout.match(/^in doubt /gm)?.length, 3, checked.stdout);
  assert.match(
    checked.stdout,
    /^In doubt: files that share a bad piece; any of them may be the wrong one/m,
  );

  // A file of another length is certainly wrong, and the message does not mention the others.
  await writeFile(join(home, "talks/1.bin"), "short");
  const sure = await get();
  assert.match(sure.stderr, /overwritten: [^ ]*\/talks\/1\.bin is there already and is not what/);
});

test("CLI-12: a name that begins with a dot is not hidden on disk, unless the user asks for that", async (context) => {
  const files = { ".bashrc": randomBytes(2_000) };
  const { home, get } = await world(context, files);
  await writeFile(join(home, ".bashrc"), "alias ll='ls -l'\n");
  const shown = await get();
  assert.equal(shown.exit, 0, shown.stderr);
  assert.deepEqual((await readdir(home)).toSorted(), [".bashrc", "_.bashrc"]);
  assert.equal(await readFile(join(home, ".bashrc"), "utf8"), "alias ll='ls -l'\n");
  assertSameBytes(await readFile(join(home, "_.bashrc")), files[".bashrc"]);

  const hidden = await get("--hidden");
  assert.equal(hidden.exit, 4, "asked for, but somebody's");
  assert.equal(await readFile(join(home, ".bashrc"), "utf8"), "alias ll='ls -l'\n");
  await rm(join(home, ".bashrc"));
  assert.equal((await get("--hidden")).exit, 0);
  assertSameBytes(await readFile(join(home, ".bashrc")), files[".bashrc"]);
});

test(
  "CLI-13: seed writes to no file, even when a file was changed",
  { timeout: 60_000 },
  async (context) => {
    const files = { "talks/a.bin": randomBytes(BIG) };
    const { home, source, seed } = await world(context, files);
    const edited = Buffer.from(files["talks/a.bin"]);
    edited.fill("m", 0, 1_000);
    // In its place: `writeFile` makes the file empty first, and the seed may look at it just then.
    await using file = await open(join(source, "talks/a.bin"), "r+");
    await file.write(edited, 0, 1_000, 0);
    // A peer requests the lost data.
    const asking = new EverseedProcess(
      context,
      [
        "get",
        "../t.torrent",
        "--peer",
        `127.0.0.1:${await seed.port()}`,
        "--listen",
        "127.0.0.1:0",
      ],
      { cwd: home },
    );
    await seed.waitFor(/does not match its hash/);
    asking.child.kill("SIGINT");
    await asking.finished;
    seed.child.kill("SIGINT");
    await seed.finished;
    assertSameBytes(await readFile(join(source, "talks/a.bin")), edited);
  },
);
