import assert from "node:assert/strict";
import { test } from "node:test";
import { seededRandom } from "../sim/seeded-random.ts";
import { CheckedPasswords } from "./checked-passwords.ts";

/** @returns What was judged, in order, and a way to change ann's password. */
function world() {
  const judged: string[] = [];
  let password = "right";
  const checked = new CheckedPasswords({
    accounts: {
      passwordHash: async (name) =>
        name.toLowerCase() === "ann" ? `hash of ${password}` : undefined,
    },
    passwords: {
      hash: async (text) => {
        judged.push(`made ${text}`);
        return "";
      },
      verify: async (hash, text) => {
        judged.push(text);
        return hash === `hash of ${text}`;
      },
    },
    random: seededRandom(7),
  });
  const check = (name: string, text: string): Promise<boolean> =>
    checked.check(name, text, (judge) => judge());
  return { judged, check, change: (to: string) => void (password = to) };
}

test("HUB-9 a right password is judged once, a wrong one each time, and requests at once share a judgement", async () => {
  const { judged, check } = world();
  assert.deepEqual(await Promise.all([check("ann", "right"), check("Ann", "right")]), [true, true]);
  assert.equal(await check("ann", "right"), true);
  assert.deepEqual(judged, ["right"]);
  assert.equal(await check("ann", "wrong"), false);
  assert.equal(await check("ann", "wrong"), false);
  assert.deepEqual(judged, ["right", "wrong", "wrong"]);
});

test("HUB-9 a name that nobody has costs the same, and a known password dies with its change", async () => {
  const { judged, check, change } = world();
  assert.equal(await check("bob", "right"), false);
  assert.equal(await check("no name at all", "right"), false);
  assert.deepEqual(judged, ["made right", "made right"]);
  assert.equal(await check("ann", "right"), true);
  change("other");
  assert.equal(await check("ann", "right"), false);
  assert.equal(await check("ann", "other"), true);
});
