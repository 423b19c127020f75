import assert from "node:assert/strict";
import { test } from "node:test";
import { networkReach } from "./network-reach.ts";

test("nothing is said of what was not chosen", () => {
  assert.deepEqual(networkReach({ filters: undefined, behindProxy: undefined }), {});
});

test("the page says what filters hold, and when it is not the newest version", () => {
  const say = (ranges: number, trouble?: string) =>
    networkReach({ filters: { status: () => ({ ranges, trouble }) }, behindProxy: undefined });
  assert.deepEqual(say(1).ipFilters, {
    state: "works",
    words:
      "Nothing is exchanged with 1 range of addresses: no peer, node, tracker or server has one.",
    remedy: null,
  });
  assert.deepEqual(say(12_345, "The IP filter a cannot be used: it is a folder").ipFilters, {
    state: "warns",
    words:
      "Nothing is exchanged with 12,345 ranges of addresses: no peer, node, tracker or server has one. They are those of an earlier version.",
    remedy:
      "The IP filter a cannot be used: it is a folder. Mend the file: it is read again when it changes.",
  });
});

test("a proxy without datagrams is a warning", () => {
  const say = (carriesDatagrams: boolean) =>
    networkReach({
      filters: undefined,
      behindProxy: { name: "socks5://p:1", carriesDatagrams, words: "All goes through it." },
    }).proxy!;
  assert.deepEqual([say(true).state, say(true).words], ["works", "All goes through it."]);
  assert.equal(say(false).state, "warns");
});
