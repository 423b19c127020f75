import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeUtf8, encodeUtf8 } from "../base/bytes.ts";
import { MemoryFiles } from "../sim/memory-files.ts";
import { seededRandom } from "../sim/seeded-random.ts";
import { loadSessionSecret } from "./session-secret.ts";

const PATH = "/data/keys/session";

test("the secret of sessions is created once, and is the same at every start", async () => {
  const files = new MemoryFiles();
  const first = await loadSessionSecret(files, seededRandom(1), PATH);
  assert.match(first, /^[0-9a-f]{64}$/);
  assert.equal(await loadSessionSecret(files, seededRandom(2), PATH), first);
});

for (const [what, text] of [
  ["empty", ""],
  ["half-written", "abcdef"],
  ["too long", "a".repeat(65)],
] as const) {
  test(`STO-3: a secret that is ${what} is set aside and replaced`, async () => {
    const files = new MemoryFiles();
    await files.write(PATH, encodeUtf8(text));
    const secret = await loadSessionSecret(files, seededRandom(1), PATH);
    assert.match(secret, /^[0-9a-f]{64}$/);
    assert.equal(decodeUtf8((await files.read(PATH))!), `${secret}\n`);
    assert.equal(decodeUtf8((await files.read(`${PATH}.unreadable`))!), text);
  });
}
