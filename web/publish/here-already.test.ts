import assert from "node:assert/strict";
import { test } from "node:test";
import { compareCodePoints } from "./here-already.ts";

test("files are hashed in the order of the bytes of their names, as the hub orders them", () => {
  const names = ["b", "a/b", "a", "ab", "\u{1f331}", "\uffee", "\ud7ff", "é", "Z", "日本", "a b"];
  const byBytes = names.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  assert.deepEqual(names.toSorted(compareCodePoints), byBytes);
});
