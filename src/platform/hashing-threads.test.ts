import assert from "node:assert/strict";
import { test } from "node:test";
import { exchangeThreads, hashingThreads } from "./hashing-threads.ts";

const MIB = 1024 * 1024;

test("small content is worth one thread, and the more so the fewer files it has", () => {
  for (const [bytes, files, hashed, exchanged] of [
    [15 * MIB, 1, 1, 1],
    [17 * MIB, 1, undefined, 1],
    [MIB, 2_000, undefined, 1],
    [127 * MIB, 1, undefined, 1],
    [129 * MIB, 1, undefined, undefined],
    [MIB, 9_000, undefined, undefined],
  ] as const) {
    assert.equal(hashingThreads({ bytes, files }), hashed, `${bytes} bytes, ${files} files`);
    assert.equal(exchangeThreads({ bytes, files }), exchanged, `${bytes} bytes, ${files} files`);
  }
});
