import assert from "node:assert/strict";
import { test } from "node:test";
import type { FileStamp } from "../../ports/content.ts";
import { STAMP_NUMBERS } from "./disk-job.ts";
import { readStamps, STAMPS_PER_TURN } from "./read-stamps.ts";

test("stamps of very many files are converted a few thousand a turn (HUB-27)", async () => {
  const count = STAMPS_PER_TURN * 3 + 1;
  let read = 0;
  const numbers = new Proxy(new Float64Array(count * STAMP_NUMBERS), {
    get(target, property) {
      if (typeof property === "string" && /^\d+$/.test(property)) read += 1;
      return Reflect.get(target, property, target) as unknown;
    },
  });
  let found: readonly FileStamp[] | undefined;
  readStamps(numbers, (stamps) => (found = stamps));
  let turns = 1;
  for (; found === undefined; turns += 1) {
    assert.ok(read <= STAMPS_PER_TURN * STAMP_NUMBERS, `${read} numbers in one turn`);
    read = 0;
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.equal(found.length, count);
  assert.ok(turns >= 4, `${turns} turns`);
});

test("stamps of few files are converted within the call", () => {
  let found: readonly FileStamp[] | undefined;
  readStamps(Float64Array.of(5, 7, 9, 0), (stamps) => (found = stamps));
  assert.deepEqual(found, [{ size: 5, mtimeMs: 7, inode: 9, unfinished: false }]);
});
