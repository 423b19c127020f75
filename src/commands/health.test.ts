import assert from "node:assert/strict";
import { test } from "node:test";
import type { NodeStatus } from "../api/node.ts";
import {
  type DiskFacts,
  judgeClock,
  judgeClockAlone,
  judgeDescriptors,
  judgeDisk,
  judgeNode,
} from "./health.ts";

const NOW = Date.UTC(2026, 10, 30);
const MINUTE = 60_000;

test("STO-8 the clock is compared with that of a tracker", () => {
  for (const [aheadMs, nowMs, state, words] of [
    [0, NOW, "ok", /agrees with https:\/\/t\.example/],
    [-29_000, NOW, "ok", /agrees/],
    [4 * MINUTE, NOW, "warn", /is 4 min ahead of/],
    [-45_000, NOW, "warn", /is 45 s behind/],
    [-3 * 86_400_000, NOW, "fail", /is 3 days behind/],
    [5 * MINUTE, Date.UTC(2000, 0, 1), "fail", /ahead/],
  ] as const) {
    const found = judgeClock("https://t.example", aheadMs, nowMs);
    assert.equal(found.state, state, String(aheadMs));
    assert.match(found.words, words);
    assert.equal(found.remedy === undefined, state === "ok");
  }
  assert.equal(judgeClockAlone(NOW).state, "ok");
  assert.equal(judgeClockAlone(0).state, "fail");
});

test("STO-4 STO-5 a disk: full, nearly full, without room for files, and kinds that lose or break what is there", () => {
  const disk: DiskFacts = {
    folder: "/srv/media",
    use: "content",
    freeBytes: 2 ** 40,
    freeInodes: 1_000,
    kind: 0xef53,
  };
  for (const [change, state, words] of [
    [{}, "ok", /^The folder for content, \/srv\/media, can be written, and has 1\.0 TiB left\.$/],
    [{ freeInodes: undefined, freeBytes: undefined }, "ok", /can be written\.$/],
    [{ freeBytes: 0 }, "fail", /on a full disk \(0 B free\)/],
    [{ freeBytes: 2 ** 29 }, "warn", /has 512\.0 MiB left/],
    [{ freeInodes: 0 }, "fail", /takes no more files/],
    [{ kind: 0x0102_1994 }, "warn", /in memory \(tmpfs\)/],
    [{ use: "state", kind: 0x6969 }, "warn", /on another machine \(NFS\)/],
    [{ kind: 0x6969 }, "ok", /can be written/],
    [{ use: "state", kind: 0x794c_7630 }, "warn", /layer of a container/],
    [{ kind: 0x4d44 }, "warn", /takes no file of 4 GiB/],
  ] as const) {
    const found = judgeDisk({ ...disk, ...change });
    assert.equal(found.state, state, JSON.stringify(change));
    assert.match(found.words, words);
    assert.equal(found.remedy === undefined, state === "ok");
  }
});

test("STO-7 how many files may be open, beside what peers and the rest want", () => {
  for (const [limit, connectionsMax, state] of [
    [undefined, 50_000, "ok"],
    [1_024, 500, "ok"],
    [1_024, 2_000, "warn"],
    [64, 500, "fail"],
  ] as const) {
    assert.equal(judgeDescriptors(limit, connectionsMax).state, state, String(limit));
  }
});

test("what a running node says of its services, and a node of another version", () => {
  const status: NodeStatus = {
    version: "1.0.0",
    pid: 7,
    startedAt: "2026-11-30T10:00:00Z",
    supervised: false,
    preset: "node",
    dataFolder: "/s",
    configFile: null,
    socket: "/s/run/control.sock",
    peerPort: 8421,
    webPort: null,
    udpPort: null,
    services: [
      { name: "peers", state: "works", words: "Port 8421.", remedy: null },
      { name: "dht", state: "off", words: "The key discovery.dht turns it off.", remedy: null },
      { name: "router", state: "warns", words: "A second router.", remedy: "Forward it." },
      { name: "neighbours", state: "fails", words: "No socket.", remedy: null },
      { name: "tracker", state: "off", words: "The key turns it off.", remedy: null },
    ],
  };
  const found = judgeNode(status, "1.0.0").map(({ check, state, remedy }) => [
    check,
    state,
    remedy,
  ]);
  assert.deepEqual(found, [
    ["node", "ok", undefined],
    ["peers", "ok", undefined],
    ["dht", "ok", undefined],
    ["router", "warn", "Forward it."],
    ["neighbours", "fail", "everseed daemon logs shows what it does"],
  ]);
  const [other] = judgeNode(status, "1.1.0");
  assert.deepEqual([other?.state, other?.remedy], ["warn", "everseed daemon restart"]);
});
