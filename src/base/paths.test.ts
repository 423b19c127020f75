import assert from "node:assert/strict";
import { posix } from "node:path";
import { test } from "node:test";
import { folderOf, joinPath, nameOf } from "./paths.ts";

test("paths are split as the system splits them", () => {
  for (const path of [
    "/a/b.txt",
    "/a",
    "/",
    "//",
    "a",
    "a/b",
    "a/b/",
    "/a/b//",
    ".",
    "./a",
    "",
    "../x",
  ]) {
    assert.equal(nameOf(path), posix.basename(path), path);
    assert.equal(folderOf(path), posix.dirname(path), path);
  }
});

test("names are put below a folder", () => {
  assert.equal(joinPath("/a", "b", "c"), "/a/b/c");
  assert.equal(joinPath("/", "b"), "/b");
  assert.equal(joinPath("a/", "b"), "a/b");
  assert.equal(joinPath("", "b"), "b");
});
