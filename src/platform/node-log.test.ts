import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { NodeLog } from "./node-log.ts";

test("each message is one line of JSON, with fields, from the level on; newlines cannot forge lines", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "everseed-log-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, "log");
  const log = new NodeLog({ level: "info", to: path });
  log.debug("not this");
  log.info("started", { port: 1 });
  log.warn('evil"\n{"level":60}', { name: "a\nb" });
  log.error("bad");
  const lines = readFileSync(path, "utf8").trimEnd().split("\n");
  const messages = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.deepEqual(
    messages.map(({ level, msg }) => [level, msg]),
    [
      [30, "started"],
      [40, 'evil"\n{"level":60}'],
      [50, "bad"],
    ],
  );
  assert.equal(messages[0]!["port"], 1);
  assert.ok(!Number.isNaN(Date.parse(String(messages[0]!["time"]))));
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.equal(log.lostCount, 0);
});

test("a log that cannot be written to does not end the program", () => {
  const log = new NodeLog({ level: "info", to: "/dev/full" });
  log.info("lost");
  assert.ok(log.lostCount > 0);
});
