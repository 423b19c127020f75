import assert from "node:assert/strict";
import { test } from "node:test";
import { SILENT_LOG } from "../ports/log.ts";
import { endParts } from "./end-parts.ts";

test("STO-13: parts end in reverse order; one that fails or hangs does not keep the others", async () => {
  const ended: string[] = [];
  const warnings: unknown[] = [];
  const ends = [
    async () => void ended.push("first"),
    async () => {
      throw new Error("broken");
    },
    async () => void ended.push("third"),
    () => new Promise<void>(() => ended.push("hangs")),
    async () => void ended.push("last"),
  ];
  const log = { ...SILENT_LOG, warn: (...line: unknown[]) => void warnings.push(line) };
  await endParts(ends, { log, msMax: 20 });
  assert.deepEqual(ended, ["last", "hangs", "third", "first"]);
  assert.deepEqual(warnings, [["a part did not stop cleanly", { why: "Error: broken" }]]);
  await endParts(ends, { log, msMax: 20 });
  assert.equal(ended.length, 4, "none is ended twice");
});
