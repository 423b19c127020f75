import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { temporaryFolder } from "../../test/fixtures/temporary-folder.ts";

const libraries = path.resolve(import.meta.dirname, "../../bin/libatomic");
const ours = path.join(libraries, process.arch);

/** Threads that compile the same functions at once, for which V8 calls the library. */
const PROGRAM = `
const { isMainThread, parentPort, Worker } = require("node:worker_threads");
const threads = 4;
if (isMainThread) {
  let total = 0;
  let left = threads;
  for (let each = 0; each < threads; each += 1) {
    new Worker(process.argv[1], { eval: true }).on("message", (sum) => {
      total += sum;
      if (--left === 0) console.log(total);
    });
  }
} else {
  let sum = 0;
  for (let each = 0; each < 20_000; each += 1) sum += new Function("a", "return a + " + each)(1);
  parentPort.postMessage(sum);
}`;

test("Node runs with the library that we ship, in several threads", () => {
  const args = ["-e", PROGRAM, PROGRAM];
  const { stdout, stderr, status } = spawnSync(process.execPath, args, {
    env: { LD_LIBRARY_PATH: ours, LD_DEBUG: "files" },
    encoding: "utf8",
    maxBuffer: 16 * 1024 * 1024,
  });
  assert.equal(status, 0, stderr.slice(-2000));
  assert.ok(stderr.includes(`calling init: ${ours}/libatomic.so.1`), "another library was used");
  assert.equal(stdout.trim(), String(4 * ((19_999 * 20_000) / 2 + 20_000)));
});

test("the library is what its source compiles to", (t) => {
  const version = spawnSync("gcc", ["-dumpfullversion"], { encoding: "utf8" }).stdout?.trim();
  if (version !== "12.2.0" || process.arch !== "x64") {
    return t.skip("needs Debian 12's gcc, on x64");
  }
  const out = temporaryFolder(t, "everseed-libatomic-");
  const built = spawnSync(path.join(import.meta.dirname, "build.sh"), [out, "x64"], {
    encoding: "utf8",
  });
  assert.equal(built.status, 0, built.stderr);
  const fresh = fs.readFileSync(path.join(out, "x64/libatomic.so.1"));
  assert.ok(fresh.equals(fs.readFileSync(path.join(libraries, "x64/libatomic.so.1"))));
});
