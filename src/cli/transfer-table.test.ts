import assert from "node:assert/strict";
import { test } from "node:test";
import type { TransferView } from "../api/transfers.ts";
import { shortIds, transferTable } from "./transfer-table.ts";

const BASE: TransferView = {
  id: `9d3c${"0".repeat(36)}`,
  infohashV1: `9d3c${"0".repeat(36)}`,
  infohashV2: null,
  name: "talks",
  state: "downloading",
  reason: null,
  checkedPercent: null,
  position: 0,
  cause: "as fast as its peers send",
  percent: 62.4,
  size: 1_000,
  done: 624,
  down: 88.1 * 1024 * 1024,
  up: 3 * 1024 * 1024,
  downloaded: 624,
  uploaded: 10,
  ratio: 0.01,
  peers: 12,
  seeds: 3,
  knownPeers: 40,
  eta: 10,
  label: null,
  folder: "/downloads",
  private: false,
  downLimit: 0,
  upLimit: 0,
  shareLimits: null,
  sequential: false,
  firstAndLast: false,
  seededSeconds: 0,
  addedAt: "2026-01-01T00:00:00Z",
  finishedAt: null,
  activeAt: "2026-01-01T00:00:00Z",
};

test("a list is a table that fits 80 columns", () => {
  const seed: TransferView = {
    ...BASE,
    id: `a210${"0".repeat(36)}`,
    name: "debian-12-dvd.iso",
    state: "seeding",
    cause: null,
    percent: 100,
    down: 0,
    up: 1.1 * 1024 * 1024,
    peers: 3,
    knownPeers: 9,
    eta: null,
    ratio: 2.4,
  };
  assert.deepEqual(transferTable([BASE, seed], 120), [
    "ID    NAME               DONE   DOWN        UP         PEERS  ETA   STATE",
    "9d3c  talks               62 %  88.1 MiB/s  3.0 MiB/s  12/40  10 s  downloading",
    "a210  debian-12-dvd.iso  100 %  -           1.1 MiB/s  3/9    -     seeding (ratio 2.4)",
  ]);
  const long: TransferView = {
    ...BASE,
    id: "b".repeat(40),
    name: `a very long name of a film from ${"\u001b[31m"}outside.mkv`,
    state: "waiting",
    cause: "the disk is full: 1.2 GiB more are needed; it goes on when that is over",
  };
  for (const line of transferTable([BASE, long], 80)) {
    assert.ok(line.length <= 80, line);
    // CLI-1: names come from outside.
    assert.ok(!line.includes("\u001b"));
  }
});

test("ids are as short as tells them apart, four characters at least", () => {
  const ids = ["abcdef0", "abcdee1", "b000000"];
  assert.deepEqual([...shortIds(ids).values()].toSorted(), ["abcdee", "abcdef", "b000"]);
});
