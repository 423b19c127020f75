import assert from "node:assert/strict";
import { appendFileSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryFolder } from "../../test/fixtures/temporary-folder.ts";
import { loadConfig } from "../config/load-config.ts";
import { lastLines, LogTail, openFileLog } from "./node-log-files.ts";

test("CLI-10 a fault of ours that ends the program is the last line of its log", (context) => {
  const path = join(temporaryFolder(context, "everseed-log-"), "everseed.log");
  openFileLog(loadConfig({ env: {}, overrides: {} }), path);
  process.emit("uncaughtExceptionMonitor", new Error("a bug"), "uncaughtException");
  const line = JSON.parse(readFileSync(path, "utf8")) as { msg: string; error: string };
  assert.match(line.msg, /a fault of its own/);
  assert.match(line.error, /^Error: a bug\n +at /);
});

test("the last lines of a log reach into the older file; what is added follows, also in a new file", (context) => {
  const path = join(temporaryFolder(context, "everseed-log-"), "everseed.log");
  assert.deepEqual(lastLines(path, 3), []);
  const tail = new LogTail(path);
  writeFileSync(`${path}.1`, "one\ntwo\n");
  writeFileSync(path, "three\nhalf");
  assert.deepEqual(lastLines(path, 2), ["two", "three"]);
  assert.deepEqual(tail.next(), ["three"]);
  appendFileSync(path, " a line\n");
  assert.deepEqual(tail.next(), ["half a line"]);
  renameSync(path, `${path}.1`);
  writeFileSync(path, "new\n");
  assert.deepEqual(tail.next(), ["new"]);
});
