import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import {
  appendFile,
  lstat,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  symlink,
  truncate,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { assertSameBytes } from "../fixtures/same-bytes.ts";
import { sha1 } from "../../src/base/hash.ts";
import { dictOf, encode } from "../../src/bencode/encode.ts";
import { seededRandom } from "../../src/sim/seeded-random.ts";
import { everseed, EverseedProcess, LAUNCHER, temporaryFolder } from "./everseed-process.ts";

const LISTEN = ["--listen", "127.0.0.1:0"];

/** Each of these names once broke something. */
const ODD_NAMES = [
  "back\\slash",
  "..\\..\\up",
  "\\",
  "C:\\x",
  "\ufeffmark",
  "\ufeff",
  "in\ufeffside",
  "new\nline",
  "\r",
  "\t tab\u0001\u001b[31m\u007f",
  "-rf",
  "--help",
  "...",
  ".hidden",
  "dot.",
  "blank ",
  " ",
  "~",
  "*?\"<>|:'`$&;",
  "CON",
  "nul.txt",
  "a",
  "A",
  "é",
  "e\u0301",
  "\u202egnp.exe",
  "\u200b",
  "\ufffd",
  "\u{1f600}\u200d\u{1f680}",
  "%2e%2e%2f",
  "x.part",
  "x",
  "n".repeat(255),
  `${"é".repeat(127)}.`,
  "\u{1f600}".repeat(63),
];

const LETTERS = [
  ..."ab.- _\\:*?\"<>|~%#'",
  "\n",
  "\u0001",
  "\u007f",
  "\u0085",
  "\ufeff",
  "\u200d",
  "\u202e",
  "ß",
  "İ",
  "\u0301",
  "\ud7ff",
  "\ue000",
  "\uffff",
  "\u{10ffff}",
  "\u{1f600}",
];

/** @returns Different names that Linux accepts. */
function oddNames(seed: number, count: number): string[] {
  const random = seededRandom(seed);
  const names = new Set<string>();
  while (names.size < count) {
    let name = "";
    const letters = 1 + random.below(12);
    for (let letter = 0; letter < letters; letter += 1)
      name += LETTERS[random.below(LETTERS.length)]!;
    if (name !== "." && name !== "..") names.add(name);
  }
  return [...names];
}

async function run(context: TestContext, cwd: string, exit: number, ...args: string[]) {
  const done = await everseed(context, args, { cwd });
  assert.equal(done.exit, exit, `${args.join(" ")}\n${done.stdout}${done.stderr}`);
  return done;
}

for (const [chance, kind] of ["v1", "v2", "hybrid"].entries()) {
  test(`create, check, seed and get agree on every name that Linux accepts (${kind})`, async (context) => {
    const folder = temporaryFolder(context);
    const top = "\ufeff-\\top\n.";
    const files = new Map<string, Buffer>();
    for (const name of [...ODD_NAMES, ...oddNames(chance, 60)]) {
      // A file and a folder of that name.
      files.set(`${top}/${name}`, randomBytes(files.size * 97));
      files.set(`${top}/in/${name}/x`, randomBytes(files.size));
    }
    for (const [path, bytes] of files) {
      mkdirSync(join(folder, path, ".."), { recursive: true });
      writeFileSync(join(folder, path), bytes);
    }
    const bad = Buffer.concat([Buffer.from(join(folder, top, "bad")), Buffer.of(0xff)]);
    writeFileSync(bad, "no text");

    const args = ["--kind", kind, "--piece-size", "16K", "-o", "t.torrent", "--", top];
    const made = await run(context, folder, 0, "create", ...args);
    assert.match(made.stderr, /bad\ufffd is left out: its name is not UTF-8/);
    assert.match((await run(context, folder, 0, "check", "t.torrent", ".")).stdout, /^All good/m);
    assert.match(
      (await run(context, folder, 0, "check", "t.torrent", `./${top}`)).stdout,
      /^All good/m,
    );

    const seeding = ["seed", "t.torrent", "--data", ".", ...LISTEN, "--json"];
    const seed = new EverseedProcess(context, seeding, { cwd: folder });
    const peer = ["--peer", `127.0.0.1:${await seed.port()}`, ...LISTEN];
    await run(context, folder, 0, "get", "t.torrent", "-o", "copy", ...peer);
    await run(context, folder, 0, "check", "t.torrent", "copy");
    const copied = await readdir(join(folder, "copy"), { recursive: true, withFileTypes: true });
    const lengths = copied
      .filter((entry) => entry.isFile())
      .map((entry) => lstat(join(entry.parentPath, entry.name)));
    const sizes = (await Promise.all(lengths)).map(({ size }) => size).toSorted((a, b) => a - b);
    assert.deepEqual(
      sizes,
      [...files.values()].map(({ length }) => length).toSorted((a, b) => a - b),
    );
  });
}

test("a name that is not UTF-8 is refused with a message, and so are folders nested too deep", async (context) => {
  const folder = temporaryFolder(context);
  writeFileSync(Buffer.concat([Buffer.from(join(folder, "bad")), Buffer.of(0xff)]), "x");
  const script = `exec "$0" create "$(printf 'bad\\377')"`;
  const { stderr } = await new Promise<{ stderr: string }>((resolve) => {
    execFile("/bin/sh", ["-c", script, LAUNCHER], { cwd: folder }, (_error, _stdout, stderr) =>
      resolve({ stderr }),
    );
  });
  assert.match(stderr, /Cannot read bad\ufffd\. Its name[^]*not UTF-8[^]*rename it/);

  mkdirSync(join(folder, ...Array<string>(96).fill("d")), { recursive: true });
  writeFileSync(join(folder, ...Array<string>(96).fill("d"), "x"), "x");
  const refused = await run(context, folder, 2, "create", "d");
  assert.match(refused.stderr, /more than 95 folders in each other/);
  for (const kind of ["v1", "v2", "hybrid"]) {
    const top = join("d", "d");
    await run(context, folder, 0, "create", top, "--kind", kind, "-o", `${kind}.torrent`);
    await run(context, folder, 0, "check", `${kind}.torrent`, "d");
  }
});

test("the torrent that create writes is not part of its content", async (context) => {
  const folder = temporaryFolder(context);
  await mkdir(join(folder, "talks/in"), { recursive: true });
  await writeFile(join(folder, "talks/a.bin"), randomBytes(40_000));
  await symlink("talks", join(folder, "same"));
  for (const [cwd, path, out] of [
    ["talks", ".", "t.torrent"],
    ["talks", ".", "in/t.torrent"],
    [".", "talks", "talks/in/t.torrent"],
    [".", "talks", "same/in/t.torrent"],
    [".", "same", "talks/t.torrent"],
  ] as const) {
    const at = join(folder, cwd);
    // The second time it exists already, larger than before.
    for (const more of [[], ["--comment", "x".repeat(1_000)]]) {
      const args = ["create", path, "-o", out, "--force", "--name", "talks", ...more];
      await run(context, at, 0, ...args);
    }
    const checked = await run(context, at, 0, "check", out, folder);
    assert.match(checked.stderr, /talks: 1 file,/, `${path} ${out}`);
    await rm(join(at, out));
  }
  await writeFile(join(folder, "one.torrent"), "content");
  const over = await run(
    context,
    folder,
    2,
    "create",
    "one.torrent",
    "-o",
    "one.torrent",
    "--force",
  );
  assert.match(over.stderr, /would be written over it/);
  assert.equal(await readFile(join(folder, "one.torrent"), "utf8"), "content");

  // seed writes NAME.torrent to the current folder.
  const seed = new EverseedProcess(context, ["seed", ".", ...LISTEN, "--json"], {
    cwd: join(folder, "talks"),
  });
  await seed.port();
  await run(context, join(folder, "talks"), 0, "check", "talks.torrent", "..");
});

test("create, check, seed and get judge a longer or shorter file alike", async (context) => {
  const folder = temporaryFolder(context);
  const bytes = randomBytes(100_000);
  await mkdir(join(folder, "talks"));
  await writeFile(join(folder, "talks/a.bin"), bytes);
  await writeFile(join(folder, "talks/b.bin"), bytes.subarray(0, 50_000));
  await run(context, folder, 0, "create", "talks", "--piece-size", "16K");
  const seed = new EverseedProcess(context, ["seed", "talks.torrent", ...LISTEN, "--json"], {
    cwd: folder,
  });
  const peer = ["--peer", `127.0.0.1:${await seed.port()}`, ...LISTEN];
  const copy = join(folder, "copy");
  await run(context, folder, 0, "get", "talks.torrent", "-o", "copy", ...peer);

  for (const [change, size, state] of [
    [() => appendFile(join(copy, "talks/b.bin"), "a line of mine"), 50_014, "longer"],
    [() => truncate(join(copy, "talks/b.bin"), 49_999), 49_999, "shorter"],
  ] as const) {
    await change();
    const words = `talks/b\\.bin is not the torrent's file\\. It has ${size} bytes instead of 50000\\.`;
    const checked = await run(context, folder, 7, "check", "talks.torrent", "copy");
    assert.match(checked.stdout, new RegExp(`^${state} .*talks/b\\.bin$`, "m"));
    assert.match(checked.stdout, new RegExp(words));
    const json = await run(context, folder, 7, "check", "talks.torrent", "copy", "--json");
    const { ok, files } = JSON.parse(json.stdout) as { ok: boolean; files: { size: number }[] };
    assert.deepEqual([ok, files[1]!.size], [false, size]);
    const seeded = await run(
      context,
      folder,
      7,
      "seed",
      "talks.torrent",
      "--data",
      "copy",
      ...LISTEN,
    );
    assert.match(seeded.stderr, new RegExp(words));
    const got = await run(context, folder, 4, "get", "talks.torrent", "-o", "copy", ...peer);
    assert.match(got.stderr, /talks\/b\.bin is there already and is not what the torrent says/);
    assert.equal((await lstat(join(copy, "talks/b.bin"))).size, size);
    await run(context, folder, 0, "get", "talks.torrent", "-o", "copy", "--adopt", ...peer);
    assertSameBytes(await readFile(join(copy, "talks/b.bin")), bytes.subarray(0, 50_000));
  }

  // Something that is not a file at all.
  await rm(join(copy, "talks/b.bin"));
  await mkdir(join(copy, "talks/b.bin"));
  const checked = await run(context, folder, 7, "check", "talks.torrent", "copy");
  assert.match(
    checked.stdout,
    /^no file .*talks\/b\.bin\n[^]*b\.bin is not the torrent's file.*not a file at all/m,
  );
  const seeded = await run(
    context,
    folder,
    7,
    "seed",
    "talks.torrent",
    "--data",
    "copy",
    ...LISTEN,
  );
  assert.match(seeded.stderr, /b\.bin is not the torrent's file\. It is not a file at all/);
});

test("content behind links is checked and seeded, and nothing is written through them", async (context) => {
  const folder = temporaryFolder(context);
  const bytes = randomBytes(100_000);
  await mkdir(join(folder, "talks/slides"), { recursive: true });
  await writeFile(join(folder, "talks/a.bin"), bytes);
  await writeFile(join(folder, "talks/slides/b.bin"), bytes.subarray(0, 50_000));
  await run(context, folder, 0, "create", "talks", "--piece-size", "16K");
  // Files, a folder and the whole content are elsewhere.
  await mkdir(join(folder, "disk/linked"), { recursive: true });
  await rename(join(folder, "talks/a.bin"), join(folder, "disk/a"));
  await rename(join(folder, "talks/slides"), join(folder, "disk/slides"));
  await rm(join(folder, "talks"), { recursive: true });
  await symlink("../a", join(folder, "disk/linked/a.bin"));
  await symlink("../slides", join(folder, "disk/linked/slides"));
  await symlink("disk/linked", join(folder, "talks"));

  await run(context, folder, 0, "check", "talks.torrent", ".");
  await run(context, folder, 0, "check", "talks.torrent", "talks");
  const seed = new EverseedProcess(context, ["seed", "talks.torrent", ...LISTEN, "--json"], {
    cwd: folder,
  });
  const peer = ["--peer", `127.0.0.1:${await seed.port()}`, ...LISTEN];
  await run(context, folder, 0, "get", "talks.torrent", "-o", "copy", ...peer);
  assertSameBytes(await readFile(join(folder, "copy/talks/a.bin")), bytes);

  // A download follows none of them.
  await mkdir(join(folder, "home/talks"), { recursive: true });
  await mkdir(join(folder, "disk/others"));
  await symlink(join(folder, "disk/others"), join(folder, "home/talks/slides"));
  await writeFile(join(folder, "disk/others/b.bin"), "mine");
  for (const more of [[], ["--adopt"], ["--rename"]]) {
    const args = ["get", "talks.torrent", "-o", "home", ...more, ...peer];
    const got = await everseed(context, args, { cwd: folder });
    assert.equal(got.exit, more.includes("--rename") ? 0 : 4, got.stderr);
    assert.equal(await readFile(join(folder, "disk/others/b.bin"), "utf8"), "mine", more.join());
  }

  assert.ok((await lstat(join(folder, "home/talks/slides (old)"))).isSymbolicLink());

  // A link that leads nowhere counts as missing.
  await rm(join(folder, "disk/a"));
  const lost = await run(context, folder, 7, "check", "talks.torrent", ".");
  assert.match(lost.stdout, /^missing .*talks\/a\.bin/m);
  const refused = await run(context, folder, 3, "seed", "talks.torrent", ...LISTEN);
  assert.match(refused.stderr, /talks\/a\.bin is missing/);
});

test("padding that another program stored is not content", async (context) => {
  const folder = temporaryFolder(context);
  await mkdir(join(folder, "talks/.pad"), { recursive: true });
  await writeFile(join(folder, "talks/a.bin"), randomBytes(20_000));
  await writeFile(join(folder, "talks/.pad/12768"), Buffer.alloc(12_768));
  await writeFile(join(folder, "talks/_____padding_file_0_of_a_maker"), Buffer.alloc(10));
  await writeFile(join(folder, "talks/.pad/notes"), "kept");
  for (const kind of ["v1", "v2", "hybrid"]) {
    const made = await run(
      context,
      folder,
      0,
      "create",
      "talks",
      "--kind",
      kind,
      "-o",
      "t.torrent",
      "--force",
    );
    assert.match(made.stderr, /\.pad\/12768 is left out: it is padding/);
    assert.match(made.stderr, /padding_file_0_of_a_maker is left out: it is padding/);
    const checked = await run(context, folder, 0, "check", "t.torrent", ".");
    assert.match(checked.stderr, /talks: 2 files,/);
  }
});

test("a torrent with padding of any program is fetched, checked and seeded without it", async (context) => {
  const folder = temporaryFolder(context);
  const bytes = randomBytes(20_000);
  const pads: readonly [string, string[]][] = [
    ["attr", ["anything"]],
    ["none", [".pad", "12768"]],
    ["none", ["_____padding_file_0_if you see this file"]],
  ];
  for (const [attr, path] of pads) {
    const content = Buffer.concat([bytes, Buffer.alloc(12_768), bytes]);
    const hashes = [];
    for (let at = 0; at < content.length; at += 16_384)
      hashes.push(sha1(content.subarray(at, at + 16_384)));
    const text = (texts: readonly string[]) => texts.map((one) => Buffer.from(one));
    const info = {
      files: [
        dictOf({ length: 20_000, path: text(["a.bin"]) }),
        dictOf({
          ...(attr === "attr" && { attr: Buffer.from("p") }),
          length: 12_768,
          path: text(path),
        }),
        dictOf({ length: 20_000, path: text(["b.bin"]) }),
      ],
      name: Buffer.from("talks"),
      "piece length": 16_384,
      pieces: Buffer.concat(hashes),
    };
    await writeFile(join(folder, "t.torrent"), encode(dictOf({ info: dictOf(info) })));
    await mkdir(join(folder, "talks"), { recursive: true });
    for (const name of ["a.bin", "b.bin"]) await writeFile(join(folder, "talks", name), bytes);
    const checked = await run(context, folder, 0, "check", "t.torrent", ".");
    assert.match(checked.stderr, /talks: 2 files,/);
    const seed = new EverseedProcess(context, ["seed", "t.torrent", ...LISTEN, "--json"], {
      cwd: folder,
    });
    const peer = ["--peer", `127.0.0.1:${await seed.port()}`, ...LISTEN];
    await run(context, folder, 0, "get", "t.torrent", "-o", "copy", ...peer);
    assert.deepEqual(
      (await readdir(join(folder, "copy/talks"))).toSorted(),
      ["a.bin", "b.bin"],
      path.join("/"),
    );
    seed.child.kill("SIGINT");
    await seed.finished;
    await rm(join(folder, "copy"), { recursive: true });
  }
});
