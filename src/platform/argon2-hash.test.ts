import assert from "node:assert/strict";
import { test } from "node:test";
import { Argon2Hash } from "./argon2-hash.ts";

const passwords = new Argon2Hash();

for (const hash of [
  "",
  "secret",
  "$2b$10$abcdefghijklmnopqrstuv",
  "$argon2id$v=19$m=9999999,t=2,p=1$c29tZXNhbHQxMjM0$" + "A".repeat(43),
]) {
  test(`HUB-9: ${hash.slice(0, 30)} is not a hash that any password matches`, async () => {
    assert.equal(await passwords.verify(hash, "secret"), false);
  });
}

test("HUB-9: a password matches only its own hashes, and two hashes of it differ", async () => {
  const [one, two] = await Promise.all([
    passwords.hash("correct horse"),
    passwords.hash("correct horse"),
    passwords.hash("third at the same time"),
  ]);
  assert.match(one, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  assert.notEqual(one, two);
  assert.ok(await passwords.verify(one, "correct horse"));
  assert.ok(!(await passwords.verify(one, "correct horsf")));
  // The same letters from a keyboard that encodes them differently.
  const composed = await passwords.hash("caf\u00e9 caf\u00e9");
  assert.ok(await passwords.verify(composed, "cafe\u0301 cafe\u0301"));
});
