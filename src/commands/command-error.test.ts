import assert from "node:assert/strict";
import { test } from "node:test";
import { diskTrouble } from "./command-error.ts";

test("what a disk refuses has clear words, a way out, and no words of the system", () => {
  for (const [code, doing, expected, detail] of [
    ["ENOENT", "read x", "not-found", "Cannot read x. There is nothing of that name."],
    ["ENOTDIR", "read x", "not-found", "Cannot read x. On the way there, a file is no folder."],
    [
      "EACCES",
      "read x",
      "not-readable",
      "Cannot read x. The system does not allow it to this user.",
    ],
    [
      "EACCES",
      "write x",
      "not-writable",
      "Cannot write x. The system does not allow it to this user.",
    ],
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
