import assert from "node:assert/strict";
import { test } from "node:test";
import { ServerSlots } from "./server-slots.ts";

test("a server has eight connections of all torrents, and a second one of a torrent only while it has few", () => {
  const slots = new ServerSlots();
  const url = (path: number): string => `http://mirror.example/${path}`;
  for (let torrent = 0; torrent < 2; torrent += 1) {
    assert.ok(slots.take(url(torrent), false));
    assert.ok(slots.take(url(torrent), true));
  }
  assert.equal(slots.take(url(2), true), false, "four are enough for second ones");
  for (let torrent = 2; torrent < 6; torrent += 1) assert.ok(slots.take(url(torrent), false));
  assert.equal(slots.take(url(6), false), false);
  assert.ok(slots.take("https://mirror.example/6", false), "another server");
  slots.give(url(0));
  assert.ok(slots.take(url(6), false));
});

test("all servers together have 64 connections", () => {
  const slots = new ServerSlots();
  const url = (server: number): string => `http://${server}.example/`;
  for (let server = 0; server < 64; server += 1) assert.ok(slots.take(url(server), false));
  assert.equal(slots.take(url(64), false), false);
  slots.give(url(3));
  assert.ok(slots.take(url(64), false));
});
