import assert from "node:assert/strict";
import { test } from "node:test";
import { namesTorrent } from "./given-source.ts";

for (const [text, isOne] of [
  [`magnet:?xt=urn:btih:${"ab".repeat(20)}`, true],
  [`  ${"AB".repeat(20)}\n`, true],
  ["ab".repeat(32), true],
  ["https://hub.example/t/k3.torrent", true],
  ["https://hub.example/t/k3.torrent?x=1", true],
  ["https://hub.example/", false],
  ["ftp://hub.example/k3.torrent", false],
  ["see magnet:?xt=urn:btih:ab", false],
  ["hello", false],
  ["", false],
] as const) {
  test(`${JSON.stringify(text)} ${isOne ? "names" : "does not name"} a torrent`, () => {
    assert.equal(namesTorrent(text), isOne);
  });
}
