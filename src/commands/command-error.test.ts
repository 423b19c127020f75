import assert from "node:assert/strict";
import { test } from "node:test";
import { diskTrouble } from "./command-error.ts";

test("a refusal of the disk has a clear message, a hint, and none of the system's text", () => {
  for (const [code, doing, expected, detail] of [
    ["ENOENT", "read x", "not-found", "Cannot read x. No file or folder has that name."],
    [
      "ENOTDIR",
      "read x",
      "not-found",
      "Cannot read x. A part of the path is a file, not a folder.",
    ],
    ["EACCES", "read x", "not-readable", "Cannot read x. This user does not have permission."],
    ["EACCES", "write x", "not-writable", "Cannot write x. This user does not have permission."],
    ["EROFS", "write x", "not-writable", "Cannot write x. The disk is read-only."],
    ["EEXIST", "write to x", "not-writable", "Cannot write to x. A file stands in its place."],
    ["ENOSPC", "write x", "disk-full", "Cannot write x. The disk is full."],
    // STO-12
    ["ENAMETOOLONG", "write x", "bad-plan", "Cannot write x. The name is too long for the disk."],
    ["ENAMETOOLONG", "read x", "not-found", "Cannot read x. The name is too long for the disk."],
  ] as const) {
    const system = Object.assign(new Error(`${code}: words of the system, lstat 'x'`), { code });
    const trouble = diskTrouble(system, doing, "x");
    assert.deepEqual([trouble.code, trouble.detail, trouble.subject], [expected, detail, "x"]);
    assert.ok(trouble.hint, code);
    assert.equal(trouble.cause, system);
  }
});
