import assert from "node:assert/strict";
import { test } from "node:test";
import { RootLeases } from "./root-leases.ts";

test("a root is free unless a closing torrent holds it, or one above or below it", () => {
  const leases = new RootLeases();
  const opened: string[] = [];
  const free = ["/media/film", "/media/filmsets", "/media/music"];
  const taken = ["/media/films", "/media/films/a", "/media", "/"];
  const closed = leases.close("/media/films");
  const waits = (root: string): boolean =>
    leases.waitFor(root, () => opened.push(root)) !== undefined;
  assert.deepEqual([...taken, ...free].filter(waits), taken);
  assert.deepEqual(opened, [], "nobody is called within the call");
  closed();
  assert.deepEqual(opened, taken);
  closed();
  assert.equal(opened.length, 4, "each is called once");
});

test("two torrents close one root: it is free when both have closed", () => {
  const leases = new RootLeases();
  const [first, second] = [leases.close("/a"), leases.close("/a/b")];
  let isFree = false;
  leases.waitFor("/a/b", () => (isFree = true));
  first();
  assert.equal(isFree, false);
  second();
  assert.equal(isFree, true);
});

test("a torrent that stopped waiting is not called", () => {
  const leases = new RootLeases();
  const closed = leases.close("/a");
  const giveUp = leases.waitFor("/a", () => assert.fail("called"));
  giveUp!();
  closed();
});
