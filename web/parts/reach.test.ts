import assert from "node:assert/strict";
import { test } from "node:test";
import { meansThisMachine } from "./reach.ts";

test("a link to 127.0.0.1, ::1 or localhost works on its own machine only", () => {
  for (const host of ["127.0.0.1:8420", "127.9.9.9", "[::1]:8420", "localhost", "hub.localhost:80"])
    assert.equal(meansThisMachine(`http://${host}/t/a/b`), true, host);
  for (const host of [
    "hub.example",
    "192.168.1.7:8420",
    "[fe80::1]",
    "127.example",
    "localhost.example",
  ])
    assert.equal(meansThisMachine(`http://${host}/t/a/b`), false, host);
});
