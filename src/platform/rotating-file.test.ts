import assert from "node:assert/strict";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryFolder } from "../../test/fixtures/temporary-folder.ts";
import { RotatingFile } from "./rotating-file.ts";

test("a log file is turned over when it is full, and the oldest goes", (context) => {
  const folder = temporaryFolder(context, "everseed-log-");
  const path = join(folder, "a.log");
  const file = new RotatingFile(path, 20);
  for (let line = 0; line < 30; line += 1) file.write(`line ${String(line).padStart(2, "0")}\n`);
  file.close();
  assert.deepEqual(readdirSync(folder).toSorted(), [
    "a.log",
    "a.log.1",
    "a.log.2",
    "a.log.3",
    "a.log.4",
  ]);
  assert.equal(readFileSync(path, "utf8"), "line 28\nline 29\n");
  assert.equal(readFileSync(`${path}.4`, "utf8"), "line 20\nline 21\n");
});

test("CLI-3 a log file is closed to others, and goes on where it ended", (context) => {
  const path = join(temporaryFolder(context, "everseed-log-"), "a.log");
  for (const line of ["one\n", "two\n"]) {
    const file = new RotatingFile(path);
    file.write(line);
    file.close();
  }
  assert.equal(readFileSync(path, "utf8"), "one\ntwo\n");
  assert.equal(statSync(path).mode & 0o777, 0o600);
});
