import assert from "node:assert/strict";
import { test } from "node:test";
import { judgePassword } from "./password-strength.ts";

test("the strength of a password is said in words", () => {
  const cases: readonly (readonly [string, number])[] = [
    ["", 0],
    ["short", 0],
    ["aaaaaaaaaaaaaaaaaaaa", 1],
    ["1234567890", 1],
    ["password123", 1],
    ["harbourfog", 2],
    ["Harbour7fog", 3],
    ["correct horse battery staple", 4],
  ];
  for (const [password, level] of cases) {
    assert.equal(judgePassword(password, 10).level, level, password);
  }
  assert.equal(judgePassword("abc", 10).word, "7 more characters");
  assert.equal(judgePassword("abcdefghi", 10).word, "1 more character");
});
