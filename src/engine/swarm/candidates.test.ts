import assert from "node:assert/strict";
import { test } from "node:test";
import type { Endpoint } from "../../base/endpoint.ts";
import {
  addressKey,
  banKey,
  type PeerAddress,
  tcpAddress,
  type TransportKind,
} from "../../base/peer-address.ts";
import type { SourceKind } from "../session-contract.ts";
import { Candidates, type ConnectionEnd } from "./candidates.ts";
import { seededRandom } from "../../sim/seeded-random.ts";

const FAILED: ConnectionEnd = { kind: "failed", wasReached: false };
const FAILED_INSIDE: ConnectionEnd = { kind: "failed", wasReached: true };
const ENDS: readonly ConnectionEnd[] = [
  FAILED,
  { kind: "dropped", lastedMs: 60_000 },
  { kind: "let-go", lastedMs: 1_000 },
];
const ENDPOINT: Endpoint = { address: "10.0.0.1", port: 6881 };
const PEER = tcpAddress(ENDPOINT);
const PEER_UTP: PeerAddress = { kind: "utp", endpoint: ENDPOINT };
const KINDS: ReadonlySet<TransportKind> = new Set(["tcp", "utp", "webrtc"]);
const NO_HISTORY = { readyAtMs: (_address: PeerAddress, now: number) => now };

function pool(): Candidates {
  return new Candidates({ random: seededRandom(1), kinds: KINDS, dials: NO_HISTORY });
}

function numbered(index: number): PeerAddress {
  return tcpAddress({ address: numberedIp(index), port: 6881 });
}

function numberedIp(index: number): string {
  return `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`;
}

function webrtc(id: string, via = "wss://tracker.example"): PeerAddress {
  return { kind: "webrtc", id, via };
}

/** Where the next one is dialled, whatever other ways there are. */
function nextAddress(candidates: Candidates, now: number): PeerAddress | undefined {
  return candidates.next(now)?.[0];
}

const refused: [string, Endpoint][] = [
  ["port 0", { address: "10.0.0.1", port: 0 }],
  ["port 65536", { address: "10.0.0.1", port: 65_536 }],
  ["no port at all", { address: "10.0.0.1", port: Number.NaN }],
  ["a name", { address: "localhost", port: 80 }],
  ["unspecified", { address: "0.0.0.0", port: 80 }],
  ["this network", { address: "0.1.2.3", port: 80 }],
  ["multicast", { address: "239.1.2.3", port: 80 }],
  ["broadcast", { address: "255.255.255.255", port: 80 }],
  ["unspecified IPv6", { address: "::", port: 80 }],
  ["multicast IPv6", { address: "ff02::1", port: 80 }],
];
for (const [name, endpoint] of refused) {
  test(`WIR-11: not taken in: ${name}`, () => {
    assert.equal(pool().offer(tcpAddress(endpoint), "pex", 0), false);
  });
}

for (const address of ["127.0.0.1", "192.168.1.9", "169.254.3.4", "8.8.8.8", "::1", "fe80::1"]) {
  test(`taken in: ${address}`, () => {
    const candidates = pool();
    const peer = tcpAddress({ address, port: 6881 });
    assert.equal(candidates.offer(peer, "tracker", 0), true);
    assert.deepEqual(nextAddress(candidates, 0), peer);
  });
}

test("an address is taken in once and given out once", () => {
  const candidates = pool();
  assert.equal(candidates.offer(PEER, "tracker", 0), true);
  assert.equal(candidates.offer(PEER, "manual", 0), false);
  assert.equal(candidates.size, 1);
  assert.deepEqual(nextAddress(candidates, 0), PEER);
  assert.equal(candidates.next(1e9), undefined);
  candidates.handleNotDialled(PEER);
  candidates.handleNotDialled(PEER);
  assert.deepEqual(nextAddress(candidates, 0), PEER);
  assert.equal(candidates.next(0), undefined);
});

test("an address that fails waits a minute, then two, then four, at most an hour", () => {
  const candidates = pool();
  candidates.offer(PEER, "tracker", 0);
  let now = 0;
  for (const minutes of [1, 2, 4, 8, 16, 32, 60, 60]) {
    assert.deepEqual(nextAddress(candidates, now), PEER);
    candidates.handleClosed(PEER, FAILED, now);
    now += minutes * 60_000;
    assert.equal(candidates.next(now - 1), undefined);
  }
});

test("a peer that we dropped is dialled again after a minute, and its failures are forgotten", () => {
  const candidates = pool();
  candidates.offer(PEER, "tracker", 0);
  candidates.next(0);
  candidates.handleClosed(PEER, FAILED, 0);
  candidates.next(60_000);
  candidates.handleConnected(PEER, true);
  assert.equal(candidates.next(1e9), undefined, "not while it is connected");
  candidates.handleClosed(PEER, { kind: "let-go", lastedMs: 30_000 }, 100_000);
  assert.equal(candidates.next(159_999), undefined);
  assert.deepEqual(nextAddress(candidates, 160_000), PEER);
});

test("an address that a user gave is tried again within seconds", () => {
  const candidates = pool();
  candidates.offer(PEER, "manual", 0);
  candidates.next(0);
  candidates.handleClosed(PEER, FAILED, 0);
  assert.equal(candidates.next(1999), undefined);
  assert.deepEqual(nextAddress(candidates, 2000), PEER);
});

test("peers that we dropped are dialled at once when there is something to request again", () => {
  const candidates = pool();
  const [letGo, dropped, connected] = [numbered(1), numbered(2), numbered(3)];
  for (const address of [letGo, dropped, connected]) {
    candidates.offer(address, "tracker", 0);
    candidates.next(0);
  }
  candidates.handleClosed(letGo, { kind: "let-go", lastedMs: 0 }, 0);
  candidates.handleClosed(dropped, { kind: "dropped", lastedMs: 0 }, 0);
  candidates.recall(1_000);
  assert.deepEqual(nextAddress(candidates, 1_000), letGo);
  assert.equal(candidates.next(1_000), undefined);
});

const WAITS: readonly [SourceKind, "failed" | "dropped" | "let-go", number, readonly number[]][] = [
  ["tracker", "dropped", 1_000, [5, 10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600]],
  ["incoming", "dropped", 1_000, [5, 10, 20]],
  ["incoming", "dropped", 60_000, [5, 5, 5]],
  ["manual", "dropped", 1_000, [2, 4, 8, 16, 32, 60, 60]],
  ["tracker", "let-go", 1_000, [60, 120, 240, 480, 960, 1920, 3600, 3600]],
  ["manual", "let-go", 1_000, [60, 120, 240]],
  ["manual", "failed", 0, [2, 4, 8, 16, 32, 60, 60]],
];
for (const [source, kind, lastedMs, waits] of WAITS) {
  test(`${source}, ${kind} after ${lastedMs} ms again and again: it is dialled later each time`, () => {
    const candidates = pool();
    candidates.offer(PEER, source, 0);
    let now = 0;
    for (const seconds of waits) {
      assert.deepEqual(nextAddress(candidates, now), PEER);
      if (kind !== "failed") candidates.handleConnected(PEER, true);
      candidates.handleClosed(PEER, kind === "failed" ? FAILED : { kind, lastedMs }, now);
      now += seconds * 1000;
      assert.equal(candidates.next(now - 1), undefined);
    }
    assert.deepEqual(nextAddress(candidates, now), PEER);
  });
}

test("a peer that dialled us during its wait is not dialled before the wait is over", () => {
  const candidates = pool();
  candidates.offer(PEER, "tracker", 0);
  candidates.handleConnected(PEER, true);
  assert.equal(candidates.next(0), undefined);
  candidates.handleClosed(PEER, { kind: "dropped", lastedMs: 5000 }, 5000);
  assert.equal(candidates.next(9_999), undefined);
  assert.deepEqual(nextAddress(candidates, 10_000), PEER);
  assert.equal(candidates.next(10_000), undefined);
});

test("addresses that did not fail come first, then those that users gave, then random ones", () => {
  const candidates = pool();
  const failed = numbered(1);
  candidates.offer(failed, "manual", 0);
  candidates.next(0);
  candidates.handleClosed(failed, FAILED, 0);
  candidates.offer(numbered(2), "pex", 60_000);
  candidates.offer(numbered(3), "tracker", 60_000);
  candidates.offer(numbered(4), "manual", 60_000);
  const order = [0, 1, 2, 3].map(() => nextAddress(candidates, 60_000));
  assert.deepEqual(order, [4, 3, 2, 1].map(numbered));
});

test("WIR-11: one source does not fill the pool", () => {
  const candidates = pool();
  const limits: [SourceKind, number][] = [
    ["pex", 1000],
    ["magnet", 100],
  ];
  for (const [source, most] of limits) {
    const before = candidates.size;
    for (let i = 0; i < 2000; i += 1) candidates.offer(numbered(before + i), source, 0);
    assert.equal(candidates.size - before, most);
  }
  assert.equal(candidates.offer(numbered(50_000), "tracker", 0), true);
});

test("addresses of other kinds are forgotten, and those in use are returned", () => {
  const candidates = pool();
  const kinds: SourceKind[] = ["tracker", "dht", "manual", "pex", "lsd"];
  for (const [index, kind] of kinds.entries()) candidates.offer(numbered(index), kind, 0);
  candidates.handleConnected(numbered(1), true);
  candidates.handleConnected(numbered(2), true);
  const inUse = candidates.keepOnly(new Set<SourceKind>(["tracker", "manual"]));
  assert.deepEqual([...inUse], [addressKey(numbered(1))]);
  assert.equal(candidates.size, 2);
  assert.deepEqual(nextAddress(candidates, 0), numbered(0));
  assert.equal(candidates.next(0), undefined);
  // There is room for as many of the kind as before.
  assert.equal(candidates.offer(numbered(1), "tracker", 0), true);
});

test("WIR-11: many ports of one machine are not all dialled, on loopback they are", () => {
  const candidates = pool();
  for (let port = 1; port <= 500; port += 1) {
    candidates.offer(tcpAddress({ address: "10.0.0.1", port }), "tracker", 0);
    candidates.offer(tcpAddress({ address: "127.0.0.1", port }), "tracker", 0);
  }
  assert.equal(candidates.size, 532);
});

test("a full pool accepts no address, except in place of one that failed three times", () => {
  const candidates = pool();
  for (let i = 0; i < 4000; i += 1) candidates.offer(numbered(i), "manual", 0);
  assert.equal(candidates.size, 3000);
  assert.equal(candidates.offer(numbered(5000), "manual", 0), false);
});

test("an address that failed three times gives way", () => {
  const candidates = pool();
  candidates.offer(PEER, "tracker", 0);
  let now = 0;
  for (let i = 0; i < 3; i += 1) {
    candidates.next(now);
    candidates.handleClosed(PEER, FAILED, now);
    now += 3_600_000;
  }
  for (let i = 0; i < 4000; i += 1) candidates.offer(numbered(100_000 + i), "manual", now);
  assert.equal(candidates.size, 3000);
  assert.equal(
    candidates.offer(PEER, "tracker", now),
    false,
    "the pool is full of better addresses",
  );
});

test("a banned address is forgotten and stays away, whatever its port", () => {
  const candidates = pool();
  candidates.offer(PEER, "tracker", 0);
  candidates.offer(tcpAddress({ ...ENDPOINT, port: 7000 }), "tracker", 0);
  candidates.ban(banKey(PEER));
  assert.equal(candidates.size, 0);
  assert.equal(candidates.next(0), undefined);
  assert.ok(candidates.isBanned(PEER));
  assert.equal(candidates.offer(tcpAddress({ ...ENDPOINT, port: 8000 }), "manual", 0), false);
});

test("our own address is not dialled again, its neighbours on the same machine are", () => {
  const candidates = pool();
  candidates.offer(PEER, "tracker", 0);
  candidates.banOwn(PEER);
  assert.equal(candidates.offer(PEER, "tracker", 0), false);
  assert.equal(candidates.isBanned(PEER), false);
  assert.equal(candidates.offer(tcpAddress({ ...ENDPOINT, port: 7000 }), "tracker", 0), true);
});

test("one port over TCP and over uTP is one candidate, which fails and waits as one", () => {
  const candidates = pool();
  assert.equal(candidates.offer(PEER, "tracker", 0), true);
  assert.equal(candidates.offer(PEER_UTP, "pex", 0), false);
  assert.equal(candidates.offer(PEER_UTP, "pex", 0), false);
  assert.equal(candidates.size, 1);
  assert.deepEqual(candidates.next(0), [PEER, PEER_UTP]);
  assert.equal(candidates.next(0), undefined, "it is not dialled a second time for its second way");
  candidates.handleClosed(PEER_UTP, FAILED, 0);
  assert.equal(candidates.next(59_999), undefined);
  assert.deepEqual(candidates.next(60_000), [PEER, PEER_UTP]);
});

test("WIR-13: an IP address that was banned over TCP is dialled over uTP neither now nor later", () => {
  const candidates = pool();
  candidates.offer({ kind: "utp", endpoint: { ...ENDPOINT, port: 7000 } }, "pex", 0);
  candidates.ban(banKey(PEER));
  assert.equal(candidates.next(0), undefined);
  assert.equal(candidates.offer(PEER_UTP, "manual", 0), false);
  assert.ok(candidates.isBanned(PEER_UTP));
});

test("a banned WebRTC peer stays away, another of the same introducer does not", () => {
  const candidates = pool();
  candidates.offer(webrtc("liar"), "webrtc", 0);
  candidates.ban(banKey(webrtc("liar")));
  assert.equal(candidates.size, 0);
  assert.equal(candidates.offer(webrtc("liar"), "manual", 0), false);
  assert.equal(candidates.offer(webrtc("other"), "webrtc", 0), true);
  assert.deepEqual(candidates.next(0), [webrtc("other")]);
});

test("WIR-11: a WebRTC peer without a name, or with an endless one, is not taken in", () => {
  const candidates = pool();
  assert.equal(candidates.offer(webrtc(""), "webrtc", 0), false);
  assert.equal(candidates.offer(webrtc("x".repeat(1024)), "webrtc", 0), false);
  assert.equal(candidates.offer(webrtc("x"), "webrtc", 0), true);
});

test("what no transport reaches is not taken in, and is no way to somebody who is known", () => {
  const kinds = new Set<TransportKind>(["tcp"]);
  const candidates = new Candidates({ random: seededRandom(1), kinds, dials: NO_HISTORY });
  assert.equal(candidates.offer(webrtc("a"), "webrtc", 0), false);
  candidates.offer(PEER, "tracker", 0);
  assert.deepEqual(candidates.next(0), [PEER]);
});

test("a session with one transport dials it, whichever the source named", () => {
  for (const [named, way] of [
    [PEER, PEER_UTP],
    [PEER_UTP, PEER],
  ] as const) {
    const candidates = new Candidates({
      random: seededRandom(1),
      kinds: new Set([way.kind]),
      dials: NO_HISTORY,
    });
    assert.equal(candidates.offer(named, "tracker", 0), true);
    assert.deepEqual(candidates.next(0), [way]);
  }
});

test("the transport that a source names comes first", () => {
  const candidates = pool();
  candidates.offer(PEER_UTP, "pex", 0);
  assert.deepEqual(candidates.next(0), [PEER_UTP, PEER]);
});

test("the way that led to a handshake is dialled alone, and the others at once when it leads nowhere", () => {
  const candidates = pool();
  candidates.offer(PEER, "tracker", 0);
  assert.deepEqual(candidates.next(0), [PEER, PEER_UTP]);
  candidates.handleConnected(PEER_UTP, true);
  candidates.handleClosed(PEER_UTP, { kind: "dropped", lastedMs: 1000 }, 1000);
  assert.deepEqual(candidates.next(6000), [PEER_UTP]);
  candidates.handleClosed(PEER_UTP, FAILED, 6000);
  assert.deepEqual(candidates.next(6000), [PEER], "no wait, and no second try of what just failed");
  candidates.handleClosed(PEER, FAILED, 7000);
  assert.equal(candidates.next(66_999), undefined);
  assert.deepEqual(candidates.next(67_000), [PEER, PEER_UTP]);
});

test("a peer that dialled us is raced: it says nothing about how it can be called", () => {
  const candidates = pool();
  candidates.offer(PEER_UTP, "incoming", 0);
  candidates.handleConnected(PEER_UTP, false);
  candidates.handleClosed(PEER_UTP, { kind: "dropped", lastedMs: 1000 }, 1000);
  assert.deepEqual(candidates.next(6000), [PEER_UTP, PEER]);
});

test("a transport that opens first and leads nowhere does not win the next race", () => {
  const candidates = pool();
  candidates.offer(PEER, "manual", 0);
  candidates.next(0);
  candidates.handleClosed(PEER_UTP, FAILED_INSIDE, 0);
  assert.deepEqual(candidates.next(2000), [PEER]);
  candidates.handleClosed(PEER, FAILED_INSIDE, 2000);
  assert.deepEqual(candidates.next(6000), [PEER, PEER_UTP]);
});

test("bans are bounded", () => {
  const candidates = pool();
  for (let i = 0; i < 5000; i += 1) candidates.ban(numberedIp(i));
  assert.equal(candidates.isBanned(numbered(0)), false);
  assert.ok(candidates.isBanned(numbered(4999)));
});

test("in any order of events no address is given out twice at once, or again too soon", () => {
  const random = seededRandom(9);
  const candidates = new Candidates({ random, kinds: KINDS, dials: NO_HISTORY });
  const dialled: PeerAddress[] = [];
  const freeAtMs = new Map<string, number>();
  let given = 0;
  for (let now = 0; now < 20_000_000; now += 1 + random.below(2000)) {
    const what = random.below(3);
    if (what === 0) {
      candidates.offer(numbered(random.below(200)), "tracker", now);
    } else if (what === 1) {
      const next = nextAddress(candidates, now);
      if (!next) continue;
      given += 1;
      assert.ok(!dialled.includes(next), "not while it is dialled");
      assert.ok(now >= (freeAtMs.get(addressKey(next)) ?? 0), "not so soon");
      dialled.push(next);
    } else {
      const [address] = dialled.splice(random.below(dialled.length + 1), 1);
      if (!address) continue;
      if (random.below(3) === 0) candidates.handleConnected(address, false);
      const end = ENDS[random.below(ENDS.length)]!;
      candidates.handleClosed(address, end, now);
      freeAtMs.set(addressKey(address), now + (end.kind === "dropped" ? 5_000 : 60_000));
    }
  }
  assert.ok(given > 1000, `${given} were given out`);
});

test("DHT-8: strangers name no service of a machine; trackers and users may", () => {
  const service = tcpAddress({ address: "10.0.0.1", port: 443 });
  for (const [source, isTaken] of [
    ["dht", false],
    ["pex", false],
    ["tracker", true],
    ["manual", true],
  ] as const) {
    assert.equal(pool().offer(service, source, 0), isTaken, source);
  }
  assert.equal(pool().offer(tcpAddress({ address: "10.0.0.1", port: 1024 }), "dht", 0), true);
});

test("DHT-8: an address whose machine has to wait is passed over, and one that a user named is not", () => {
  const waitsUntilMs = 5_000;
  const dials = {
    readyAtMs: (address: PeerAddress, now: number) =>
      addressKey(address) === addressKey(numbered(1)) ? Math.max(now, waitsUntilMs) : now,
  };
  const candidates = new Candidates({ random: seededRandom(1), kinds: KINDS, dials });
  candidates.offer(numbered(1), "dht", 0);
  candidates.offer(numbered(2), "dht", 0);
  assert.deepEqual(nextAddress(candidates, 0), numbered(2));
  assert.equal(nextAddress(candidates, 4_999), undefined);
  assert.deepEqual(nextAddress(candidates, waitsUntilMs), numbered(1));
  const named = new Candidates({ random: seededRandom(1), kinds: KINDS, dials });
  named.offer(numbered(1), "manual", 0);
  assert.deepEqual(nextAddress(named, 0), numbered(1));
});

test("BEP 40: addresses of one rank are dialled by their priority, which changes with our own address", () => {
  let isTurned = false;
  const candidates = new Candidates({
    random: seededRandom(1),
    kinds: KINDS,
    dials: { readyAtMs: (_address, now) => now },
    priorityOf: (address) => {
      if (address.kind === "webrtc") return undefined;
      const { port } = address.endpoint;
      return isTurned ? 10_000 - port : port;
    },
  });
  for (const port of [6882, 6885, 6881, 6884, 6883]) {
    candidates.offer(tcpAddress({ address: "9.9.9.9", port }), "tracker", 0);
  }
  const next = (): number => {
    const address = candidates.next(0)![0];
    return address.kind === "webrtc" ? 0 : address.endpoint.port;
  };
  assert.deepEqual([next(), next()], [6885, 6884]);
  isTurned = true;
  candidates.handlePriorities();
  assert.deepEqual([next(), next(), next()], [6881, 6882, 6883]);
});

test("BEP 55: whom we are introduced to is dialled in every way before all others, while it waits, and not twice", () => {
  const candidates = pool();
  candidates.offer(PEER, "tracker", 0);
  assert.deepEqual(candidates.next(0), [PEER, PEER_UTP]);
  candidates.hasten(PEER_UTP, 0);
  assert.equal(candidates.next(0), undefined, "it is being dialled");
  candidates.handleConnected(PEER, true);
  candidates.handleClosed(PEER, { kind: "dropped", lastedMs: 1 }, 0);
  candidates.offer(numbered(7), "manual", 0);
  candidates.hasten(PEER_UTP, 1);
  candidates.hasten(numbered(8), 1);
  assert.deepEqual(candidates.next(1), [PEER, PEER_UTP], "over TCP alone no router lets it in");
  assert.deepEqual(nextAddress(candidates, 1), numbered(7));
  assert.equal(candidates.next(1), undefined);
});
