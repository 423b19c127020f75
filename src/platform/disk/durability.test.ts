import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { test, type TestContext } from "node:test";

/**
 * What a power cut leaves depends on calls whose absence no test of contents can notice, because
 * the page cache hides it. `strace` shows the calls of the real disk ports (STO-2, house rule 11).
 */

const CALLS = "fsync,fdatasync,rename,renameat,renameat2,link,linkat,write,pwrite64,pwritev";
const child = fileURLToPath(new URL("./durability-child.ts", import.meta.url));

function whyNot(): string | false {
  const probe = spawnSync("strace", ["-f", "true"], { encoding: "utf8" });
  if (probe.status === 0) return false;
  const why = probe.error ? "strace is not installed" : "this machine lets nobody trace";
  if (process.env["CI"] === "true") throw new Error(why);
  return why;
}

const skip = whyNot();

/**
 * @returns The system calls of a job below its folder, in order: `fsync state`, `rename a -> b`.
 */
function traced(t: TestContext, job: string): readonly string[] {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "everseed-durability-")));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const log = join(folder, "trace");
  const run = spawnSync(
    "strace",
    [
      "-f",
      "-y",
      "-qq",
      "-s",
      "0",
      "-e",
      `trace=${CALLS}`,
      "-o",
      log,
      process.execPath,
      child,
      job,
      folder,
    ],
    { encoding: "utf8", timeout: 60_000 },
  );
  assert.equal(run.status, 0, run.stderr);
  const lines = readFileSync(log, "utf8").split("\n");
  return lines.flatMap((line) => callOf(line, folder) ?? []);
}

/**
 * `12 fdatasync(19</tmp/x/journal>) = 0` becomes `fdatasync journal`; paths elsewhere are dropped.
 */
function callOf(line: string, folder: string): string | undefined {
  const call = /^\d+ +(?<name>\w+)\(/.exec(line)?.groups?.["name"];
  if (call === undefined) return undefined;
  const inside = [...line.matchAll(/[<"](\/[^>"]*)[>"]/g)].map(([, path]) => path!);
  const below = inside.filter((path) => path === folder || path.startsWith(`${folder}/`));
  if (below.length === 0) return undefined;
  const names = below.map((path) => path.slice(folder.length + 1) || ".");
  const kind = call.replace(/^p?writev?(?:64)?$/, "write").replace(/at2?$/, "");
  return `${kind} ${names.map((name) => name.replaceAll(/\.[\w-]*tmp[\w-]*|[\w.-]*everseed[\w.-]*/g, "TEMPORARY")).join(" -> ")}`;
}

test(
  "STO-2: a state file is durable under its temporary name before it takes the place of the old one",
  { skip },
  (t) => {
    assert.deepEqual(traced(t, "state"), [
      "write TEMPORARY",
      "fsync TEMPORARY",
      "rename TEMPORARY -> state",
      "fsync .",
    ]);
  },
);

for (const job of ["new folders", "new folders below a root"]) {
  test(`STO-2: ${job} are durable before a file in them is written`, { skip }, (t) => {
    const calls = traced(t, job);
    const written = calls.findIndex((call) => call.startsWith("write "));
    for (const above of [".", "a"]) {
      const synced = calls.indexOf(`fsync ${above}`);
      assert.ok(synced >= 0 && synced < written, `${above}: ${calls.join(", ")}`);
    }
    assert.equal(calls.at(-1), "fsync a/b");
  });
}

test("STO-2: content in new folders is durable in each of them", { skip }, (t) => {
  const calls = traced(t, "content in new folders");
  for (const folder of ["new/root/t/deep", "new/root/t", "new/root", "new", "."]) {
    assert.ok(calls.includes(`fsync ${folder}`), `${folder}: ${calls.join(", ")}`);
  }
});

test(
  "STO-2: a journal exists, and each entry is durable, before the next one is written",
  { skip },
  (t) => {
    assert.deepEqual(traced(t, "journal"), [
      "fsync journal",
      "fsync .",
      "write journal",
      "fdatasync journal",
      "write journal",
      "fdatasync journal",
    ]);
  },
);

test("STO-2: a move and a second name are durable in every folder they change", { skip }, (t) => {
  assert.deepEqual(traced(t, "move").slice(-3), [
    "rename from/file -> to/file",
    "fsync to",
    "fsync from",
  ]);
  assert.deepEqual(traced(t, "link").slice(-3), [
    "link one -> TEMPORARY",
    "rename TEMPORARY -> two",
    "fsync .",
  ]);
});

test(
  "STO-2: synced content is durable: the bytes of each file, and the name of each file and folder",
  { skip },
  (t) => {
    const calls = traced(t, "content");
    for (const file of ["root/t/a", "root/t/deep/b"]) {
      const synced = calls.indexOf(`fdatasync ${file}`);
      assert.ok(synced > calls.lastIndexOf(`write ${file}`), `${file}: ${calls.join(", ")}`);
    }
    for (const folder of ["root/t/deep", "root/t", "root", "."]) {
      assert.ok(calls.includes(`fsync ${folder}`), `${folder}: ${calls.join(", ")}`);
    }
  },
);
