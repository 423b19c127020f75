import assert from "node:assert/strict";
import { test } from "node:test";
import { seededRandom } from "../sim/seeded-random.ts";
import { SECRET_MS, TokenSecrets } from "./token-secrets.ts";

test("DHT-2: a token is good for its address only, for five to ten minutes", () => {
  const tokens = new TokenSecrets(seededRandom(1), 0);
  const token = tokens.tokenFor("11.2.3.4", 1000);
  assert.ok(tokens.isValid(token, "11.2.3.4", 2000));
  assert.ok(!tokens.isValid(token, "11.2.3.5", 2000), "stolen by another address");
  assert.ok(!tokens.isValid(undefined, "11.2.3.4", 2000));
  assert.ok(!tokens.isValid(new Uint8Array(0), "11.2.3.4", 2000));
  assert.ok(!tokens.isValid(token.subarray(1), "11.2.3.4", 2000));
  assert.ok(tokens.isValid(token, "11.2.3.4", SECRET_MS), "the secret before counts");
  assert.ok(!tokens.isValid(token, "11.2.3.4", 2 * SECRET_MS), "the one before that does not");
});

test("DHT-2: after a long silence no old token is good", () => {
  const tokens = new TokenSecrets(seededRandom(1), 0);
  const token = tokens.tokenFor("2001:470::1", 0);
  assert.ok(!tokens.isValid(token, "2001:470::1", 3 * SECRET_MS));
});
