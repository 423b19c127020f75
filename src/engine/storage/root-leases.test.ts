import assert from "node:assert/strict";
import { test } from "node:test";
import { RootLeases } from "./root-leases.ts";

test("a root is free at once unless a closing torrent holds it, or one above or below it", () => {
  const leases = new RootLeases();
  const opened: string[] = [];
  const free = ["/media/film", "/media/filmsets", "/media/music"];
  const taken = ["/media/films", "/media/films/a", "/media", "/"];
  const closed = leases.close("/media/films");
  for (const root of [...taken, ...free]) leases.whenFree(root, () => opened.push(root));
  assert.deepEqual(opened, free);
  closed();
  assert.deepEqual(opened, [...free, ...taken]);
  closed();
  assert.equal(opened.length, 7, "each is called once");
});

test("two torrents close one root: it is free when both have closed", () => {
  const leases = new RootLeases();
  const [first, second] = [leases.close("/a"), leases.close("/a/b")];
  let isFree = false;
  leases.whenFree("/a/b", () => (isFree = true));
  first();
  assert.equal(isFree, false);
  second();
  assert.equal(isFree, true);
});

test("a torrent that stopped waiting is not called", () => {
  const leases = new RootLeases();
  const closed = leases.close("/a");
  const giveUp = leases.whenFree("/a", () => assert.fail("called"));
  giveUp();
  closed();
});
