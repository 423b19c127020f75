import assert from "node:assert/strict";
import { test } from "node:test";
import { brokenWords } from "./broken-torrent.ts";

test("a broken torrent is blamed on peers only when it came from them", () => {
  const words = (cause: "bad-info" | "contradiction"): string =>
    brokenWords({ kind: "broken", cause, message: "the hashes differ" });
  assert.equal(words("bad-info"), "The peers' metadata is not a valid torrent. The hashes differ.");
  assert.equal(words("contradiction"), "This torrent can never be completed. The hashes differ.");
});
