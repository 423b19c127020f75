import assert from "node:assert/strict";
import { test } from "node:test";
import type { Clock } from "../ports/clock.ts";
import { SILENT_LOG } from "../ports/log.ts";
import { BoundedLog } from "./bounded-log.ts";

test("HUB-16: a fault in every request costs a few lines and a count; other lines are not suppressed", () => {
  const lines: string[] = [];
  let fire: (() => void) | undefined;
  const clock: Clock = {
    nowMs: () => 0,
    wallMs: () => 0,
    startTimer: (_delayMs, then) => {
      fire = then;
      return { cancel: () => (fire = undefined) };
    },
  };
  const at = (level: string) => (message: string, fields?: unknown) =>
    void lines.push(`${level} ${message} ${JSON.stringify(fields)}`);
  const log = new BoundedLog({ ...SILENT_LOG, warn: at("warn"), error: at("error") }, clock);
  for (let id = 0; id < 1_000; id += 1) log.error("a request failed", { id });
  log.warn("the disk is nearly full");
  assert.equal(lines.length, 21);
  assert.equal(lines[20], "warn the disk is nearly full undefined");
  fire?.();
  const rest =
    'error more lines like one above were left out {"line":"a request failed","count":980}';
  assert.deepEqual(lines.slice(21), [rest]);
  log.error("a request failed", { id: 1_000 });
  assert.equal(lines.length, 23, "the next minute starts afresh");
  log.close();
  log.close();
  assert.equal(lines.length, 23, "nothing was left out");
});
