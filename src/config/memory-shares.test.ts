import assert from "node:assert/strict";
import { test } from "node:test";
import { memoryShares } from "./memory-shares.ts";

test("the shares of a hub's memory are all of it, and uploads get half", () => {
  const { ingest, send, receive } = memoryShares(1024);
  assert.equal(ingest, 512);
  assert.equal(ingest + send + receive, 1024);
  assert.ok(send > receive, "the everseed sends more than it receives");
});
