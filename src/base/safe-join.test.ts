import assert from "node:assert/strict";
import { test } from "node:test";
import { safeJoin } from "./safe-join.ts";

const REFUSED = [[], [""], ["."], [".."], ["a", "..", "b"], ["a/b"], ["/etc"], ["a\0"], ["a", ""]];

test("MET-1: safeJoin refuses anything but a plain name", () => {
  for (const path of REFUSED) {
    for (const root of ["/root", "/", "C:\\root"]) {
      assert.throws(() => safeJoin(root, path), { code: "unsafe-path" }, JSON.stringify(path));
    }
  }
  assert.throws(() => safeJoin("C:\\root", ["a\\b"]), { code: "unsafe-path" });
});

test("MET-1: safeJoin gives a path below the root", () => {
  assert.equal(safeJoin("/root", ["a", "b c"]), "/root/a/b c");
  assert.equal(safeJoin("/", ["a"]), "/a");
  assert.equal(safeJoin("/root", ["a\\b"]), "/root/a\\b", "an ordinary character here");
});
