import assert from "node:assert/strict";
import { test } from "node:test";
import { temporaryFolder } from "../fixtures/temporary-folder.ts";
import { fuzzApi } from "../fuzz/api/api-fuzz.ts";
import { openApiWorld } from "../fuzz/api/api-world.ts";

test("every operation of the API refuses wrong requests in words, in time, and without a change", async (t) => {
  const world = await openApiWorld(temporaryFolder(t, "everseed-api-"));
  t.after(() => world.stop());
  const { operations, requests, refused } = await fuzzApi(world, {
    seed: 11,
    triesPerOperation: 12,
  });
  assert.ok(operations >= 45, `${operations} operations`);
  assert.ok(refused > requests / 2, `${refused} of ${requests} were refused`);
});
