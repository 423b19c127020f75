import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test, type TestContext } from "node:test";
import { takeLock } from "./lock-file.ts";

function lockPath(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "everseed-lock-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, "everseed.lock");
}

function holdingProgram(path: string): string {
  return `
    import { takeLock } from ${JSON.stringify(import.meta.resolve("./lock-file.ts"))};
    takeLock(${JSON.stringify(path)});
    console.log("held");
    setInterval(() => undefined, 1000);
  `;
}

async function holdElsewhere(t: TestContext, path: string) {
  const child = spawn(process.execPath, ["--input-type=module", "-e", holdingProgram(path)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  t.after(() => child.kill("SIGKILL"));
  await once(createInterface({ input: child.stdout }), "line");
  return child;
}

test("a second program is refused and told the first one's pid (STO-10)", async (t) => {
  const path = lockPath(t);
  const child = await holdElsewhere(t, path);
  assert.throws(() => takeLock(path), {
    name: "PlatformError",
    code: "locked",
    message: new RegExp(`process ${child.pid} `),
  });
});

test("the lock of a killed program is taken over (STO-10, STO-1)", async (t) => {
  const path = lockPath(t);
  const child = await holdElsewhere(t, path);
  child.kill("SIGKILL");
  await once(child, "exit");
  takeLock(path).release();
  assert.deepEqual(readdirSync(join(path, "..")), []);
});

test("a killed program whose parent has not reaped it holds no lock (STO-1)", async (t) => {
  const path = lockPath(t);
  // The shell becomes a program that never waits for its child.
  const script = '"$0" --input-type=module -e "$1" & exec sleep 60';
  const parent = spawn("sh", ["-c", script, process.execPath, holdingProgram(path)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  t.after(() => parent.kill("SIGKILL"));
  await once(createInterface({ input: parent.stdout }), "line");
  const pid = Number(holderAt(path).pid);
  process.kill(pid, "SIGKILL");
  while (!/\) Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"))) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  takeLock(path).release();
});

function holderAt(path: string): { pid?: unknown } {
  return JSON.parse(readFileSync(path, "utf8")) as { pid?: unknown };
}

test("stale and broken locks are taken over, whatever they contain", (t) => {
  const path = lockPath(t);
  const first = takeLock(path);
  const own = holderAt(path);
  first.release();
  const stale = [
    "",
    "{",
    "null",
    "[]",
    '"x"',
    JSON.stringify({ pid: "1", bootId: "", startTicks: "" }),
    JSON.stringify({ ...own, pid: 0 }),
    JSON.stringify({ ...own, pid: -1 }),
    JSON.stringify({ ...own, pid: 2 ** 40 }),
    JSON.stringify({ ...own, pid: process.pid, bootId: "before the reboot" }),
    // The pid of a live process with another start time.
    JSON.stringify({ ...own, pid: process.pid, startTicks: "1" }),
  ];
  for (const text of stale) {
    writeFileSync(path, text);
    const lock = takeLock(path);
    assert.equal(holderAt(path).pid, process.pid, text);
    lock.release();
  }
});

test("the file is private, whole at once, and released only by its holder", (t) => {
  const path = lockPath(t);
  const lock = takeLock(path);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.throws(() => takeLock(path), { code: "locked" });
  assert.deepEqual(readdirSync(join(path, "..")), ["everseed.lock"]);
  lock.release();
  lock.release();
  const next = takeLock(path);
  lock.release();
  assert.throws(() => takeLock(path), { code: "locked" });
  next.release();
});
