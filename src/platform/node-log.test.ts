import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { NodeLog } from "./node-log.ts";

test("each message at or above the level is one line of JSON, with fields; newlines cannot forge lines", (t) => {
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

test("HUB-34: nothing in a line controls the terminal that shows it, and the text is kept", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "everseed-log-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, "log");
  const log = new NodeLog({ level: "info", to: path });
  const texts = [
    "\x1b[2J",
    "\x9b2J",
    "\x07",
    "\r",
    "a\u2028b",
    "\u202egpj",
    "\ufeff",
    "\x7f",
    "\ud800",
  ];
  for (const text of texts) log.warn(text, { name: text, [`key ${text}`]: [text] });
  const written = readFileSync(path, "utf8");
  assert.doesNotMatch(written.replaceAll("\n", ""), /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_C}\ufeff]/u);
  const lines = written.trimEnd().split("\n");
  assert.equal(lines.length, texts.length);
  for (const [index, line] of lines.entries()) {
    const { msg, name } = JSON.parse(line) as Record<string, unknown>;
    assert.deepEqual([msg, name], [texts[index], texts[index]]);
  }
});

test("an unwritable log does not end the program", () => {
  const log = new NodeLog({ level: "info", to: "/dev/full" });
  log.info("lost");
  assert.ok(log.lostCount > 0);
});
