import assert from "node:assert/strict";
import { test } from "node:test";
import { AnnounceAnswer } from "../announce/announce-answer.ts";
import { AnnounceRequest } from "../announce/announce-request.ts";
import { decodeCompact, formatEndpoint } from "../base/endpoint.ts";
import { chance, SWARM_LIMITS } from "../../test/tracker/tracker-world.ts";
import { CompactSwarms } from "./compact-swarms.ts";
import { PeerAddress } from "./peer-address.ts";
import type { AnnounceEffect } from "./swarms.ts";

const NOBODY = new PeerAddress();
NOBODY.set(new Uint8Array([255, 255, 255, 255]), 1);

function store(options: Partial<typeof SWARM_LIMITS> = {}): CompactSwarms {
  const swarms = new CompactSwarms({ ...SWARM_LIMITS, random: chance(11), ...options });
  swarms.setTime(1_000_000);
  return swarms;
}

function infohash(number: number): Uint8Array {
  const bytes = new Uint8Array(20);
  new DataView(bytes.buffer).setUint32(4, number);
  return bytes;
}

/** Peer `number`, with its own address. */
function peer(number: number, family: 4 | 6 = 4): PeerAddress {
  const bytes = new Uint8Array(family === 4 ? 4 : 16).fill(32);
  new DataView(bytes.buffer).setUint32(bytes.length - 4, 0x0a00_0000 + number);
  const address = new PeerAddress();
  address.set(bytes, 1 + (number % 65_535));
  return address;
}

interface Said {
  left?: number;
  event?: AnnounceRequest["event"];
  uploaded?: number;
  downloaded?: number;
  key?: number;
}

function announce(swarms: CompactSwarms, swarm: number, who: PeerAddress, said: Said = {}) {
  const request = new AnnounceRequest();
  request.left = said.left ?? 1;
  request.event = said.event ?? "none";
  request.uploaded = said.uploaded ?? 0;
  request.downloaded = said.downloaded ?? 0;
  request.key = said.key ?? 0;
  const effect: AnnounceEffect = { ...swarms.announce(swarm, who, request) };
  return effect;
}

function countsOf(swarms: CompactSwarms, swarm: number): [seeds: number, leechers: number] {
  const counts = { seeds: 0, leechers: 0, partialSeeds: 0 };
  swarms.count(swarm, counts);
  return [counts.seeds, counts.leechers];
}

function sampled(
  swarms: CompactSwarms,
  swarm: number,
  asked: { peersMax: number; forSeed?: boolean; asker?: PeerAddress },
): string[] {
  const answer = new AnnounceAnswer();
  const asker = asked.asker ?? NOBODY;
  answer.reset(asker.entryBytes);
  const { peersMax, forSeed = false } = asked;
  swarms.sample(swarm, asker, { peersMax, forSeed, withIds: false }, answer);
  const bytes = answer.peers.subarray(0, answer.peerCount * answer.entryBytes);
  return decodeCompact(bytes, answer.entryBytes).map(formatEndpoint);
}

test("TRK-16: counts are never negative, a completion counts once", () => {
  const swarms = store();
  const swarm = swarms.open([infohash(1)]);
  const said = (event: AnnounceRequest["event"], left: number, downloaded = 0) => {
    swarms.setTime((now += 600));
    return announce(swarms, swarm, peer(1), { event, left, downloaded }).completed;
  };
  let now = 1_000_000;
  assert.equal(said("stopped", 0), false, "from an unknown peer");
  assert.deepEqual(countsOf(swarms, swarm), [0, 0]);
  assert.equal(said("started", 9), false);
  assert.equal(said("completed", 9), false, "with something left");
  assert.equal(said("completed", 0), true);
  assert.equal(said("completed", 0), false, "twice");
  assert.equal(said("none", 9), false, "flips");
  assert.deepEqual(countsOf(swarms, swarm), [0, 1]);
  assert.equal(said("completed", 0), false, "after the flip");
  assert.deepEqual(countsOf(swarms, swarm), [1, 0]);
  assert.equal(said("stopped", 0, 9), false);
  assert.equal(said("stopped", 0, 9), false);
  assert.deepEqual(countsOf(swarms, swarm), [0, 0]);
  assert.equal(said("started", 0), false);
  assert.equal(said("completed", 0), false, "a peer that came as a seed completed elsewhere");
  assert.equal(said("stopped", 0, 9), false);
  said("started", 9);
  assert.equal(said("stopped", 0, 9), true, "a client that quits at its last piece");
  said("started", 9);
  assert.equal(said("stopped", 0, 0), false, "it had everything already");
});

test("TRK-16: a peer that had nothing left only because of its magnet link completes later", () => {
  const swarms = store();
  const swarm = swarms.open([infohash(1)]);
  const said = (event: AnnounceRequest["event"], left: number) =>
    announce(swarms, swarm, peer(1), { event, left, downloaded: 5 });
  said("started", 0);
  assert.deepEqual(countsOf(swarms, swarm), [1, 0]);
  said("started", 9);
  assert.deepEqual(countsOf(swarms, swarm), [0, 1]);
  assert.equal(said("completed", 0).completed, true);
  said("started", 0);
  assert.equal(said("completed", 0).completed, false, "once");
  said("stopped", 0);
  said("started", 0);
  assert.equal(said("stopped", 0).completed, false, "with the metadata alone");
});

test("TRK-16, BEP 7: a peer that announces by both address families completes once, and its bytes count once", () => {
  const swarms = store();
  const swarm = swarms.open([infohash(1)]);
  const both = [peer(1), peer(1, 6)];
  const said = (event: AnnounceRequest["event"], left: number, downloaded: number, key = 7) => {
    swarms.setTime((now += 600));
    const effects = both.map((who) =>
      announce(swarms, swarm, who, { event, left, downloaded, key }),
    );
    return effects.map((effect) => [effect.completed, effect.downloaded]);
  };
  let now = 1_000_000;
  said("started", 9, 0);
  assert.deepEqual(countsOf(swarms, swarm), [0, 2]);
  const nothing = [false, 0];
  assert.deepEqual(said("none", 5, 4), [[false, 4], nothing]);
  assert.deepEqual(said("completed", 0, 9), [[true, 5], nothing]);
  assert.deepEqual(said("stopped", 0, 10), [[false, 1], nothing]);
  said("started", 9, 0);
  assert.deepEqual(said("stopped", 0, 9), [[true, 9], nothing]);
  said("started", 9, 0, 0);
  assert.deepEqual(
    said("completed", 0, 9, 0),
    [
      [true, 9],
      [true, 9],
    ],
    "without a key they look like two",
  );
});

test("TRK-5: between two announces a peer moves no more than a line carries", () => {
  const swarms = store();
  const swarm = swarms.open([infohash(1)]);
  announce(swarms, swarm, peer(1), { uploaded: 5e15, downloaded: 7 });
  swarms.setTime(1_000_640);
  const { uploaded, downloaded } = announce(swarms, swarm, peer(1), {
    uploaded: 9e15,
    downloaded: 2_000_000_007,
  });
  assert.equal(downloaded, 2_000_000_000);
  assert.ok(uploaded > 0 && uploaded < 700 * 1_250_000_000, `${uploaded}`);
  swarms.setTime(1_001_280);
  const fell = announce(swarms, swarm, peer(1), { uploaded: 0, downloaded: 0 });
  assert.deepEqual([fell.uploaded, fell.downloaded], [0, 0], "a counter that fell has restarted");
});

test("TRK-11: a peer that announces again too early changes nothing, unless it has news", () => {
  const swarms = store();
  const swarm = swarms.open([infohash(1)]);
  announce(swarms, swarm, peer(1));
  const early = (said: Said): boolean => announce(swarms, swarm, peer(1), said).early;
  assert.equal(early({}), true);
  assert.deepEqual(announce(swarms, swarm, peer(1), { uploaded: 99 }).uploaded, 0);
  assert.equal(early({ left: 0 }), false);
  assert.equal(early({ left: 0 }), true);
  assert.equal(early({ left: 0, event: "completed" }), false);
  swarms.setTime(1_000_300);
  assert.equal(early({ left: 0 }), false);
});

test("TRK-11: a peer that asks again too early gets the same peers, and others later", () => {
  for (const peerCount of [60, 5_000]) {
    const swarms = store({ details: false });
    const swarm = swarms.open([infohash(1)]);
    for (let number = 0; number < peerCount; number += 1) announce(swarms, swarm, peer(number));
    const ask = (): string => {
      announce(swarms, swarm, peer(9));
      return sampled(swarms, swarm, { peersMax: 5, asker: peer(9) }).join();
    };
    const storm = new Set(Array.from({ length: 50 }, ask));
    assert.equal(storm.size, 1);
    swarms.setTime(1_000_300);
    assert.ok(!storm.has(ask()));
  }
});

test("TRK-10: an address, a swarm and the store have bounds, and a peer that leaves makes room", () => {
  const swarms = store({ peersPerAddressMax: 10, peersPerSwarmMax: 15, peersMax: 20 });
  const [first, second] = [swarms.open([infohash(1)]), swarms.open([infohash(2)])];
  const at = (number: number, port: number): PeerAddress => {
    const address = peer(number);
    address.port = port;
    return address;
  };
  const outcomes = Array.from({ length: 11 }, (_, index) =>
    announce(swarms, first, at(1, index + 1)),
  );
  assert.equal(outcomes.filter(({ outcome }) => outcome === "stored").length, 10);
  assert.equal(outcomes.at(-1)?.outcome, "address-quota");
  assert.equal(announce(swarms, second, at(1, 99)).outcome, "address-quota", "over all swarms");
  for (let number = 2; number < 7; number += 1) announce(swarms, first, peer(number));
  assert.equal(announce(swarms, first, peer(7)).outcome, "swarm-full");
  for (let number = 7; number < 12; number += 1) announce(swarms, second, peer(number));
  assert.equal(announce(swarms, second, peer(12)).outcome, "store-full");
  assert.equal(announce(swarms, first, at(1, 1)).outcome, "stored", "a known peer stays");
  announce(swarms, first, at(1, 1), { event: "stopped" });
  assert.equal(announce(swarms, first, at(1, 77)).outcome, "stored");
});

for (const family of [4, 6] as const) {
  test(`TRK-10: an address has its share of a swarm, and an IPv6 /64 counts as one address: IPv${family}`, () => {
    const shared = peer(7, family).bytes.join();
    const swarms = store({
      peersPerAddressInSwarmMax: 3,
      isShared: (address) => address.join() === shared,
    });
    const [first, second] = [swarms.open([infohash(1)]), swarms.open([infohash(2)])];
    const at = (number: number, port: number): PeerAddress => {
      const address = peer(number, family);
      // Another machine of the same /64.
      if (family === 6) address.words[3] = port;
      address.port = port;
      return address;
    };
    const outcomes = (swarm: number, who: (port: number) => PeerAddress): string[] =>
      [1, 2, 3, 4, 5].map((port) => announce(swarms, swarm, who(port)).outcome);
    const full = ["stored", "stored", "stored", "unlisted", "unlisted"];
    assert.deepEqual(
      outcomes(first, (port) => at(1, port)),
      full,
    );
    assert.deepEqual(
      outcomes(second, (port) => at(1, port)),
      full,
      "each swarm counts for itself",
    );
    announce(swarms, first, at(1, 2), { event: "stopped" });
    assert.equal(
      announce(swarms, first, at(1, 9)).outcome,
      "stored",
      "a peer that leaves makes room",
    );
    assert.equal(announce(swarms, first, at(1, 1)).outcome, "stored", "a known peer stays");
    const named = peer(7, family);
    const fromNamed = [1, 2, 3, 4, 5].map((port) => {
      named.port = port;
      return announce(swarms, second, named).outcome;
    });
    assert.deepEqual(
      fromNamed,
      Array.from({ length: 5 }, () => "stored"),
    );
  });

  test(`TRK-10: an answer names each address once before it repeats one: IPv${family}`, () => {
    const swarms = store();
    const swarm = swarms.open([infohash(1)]);
    for (let port = 1; port <= 300; port += 1) {
      const hog = peer(1, family);
      hog.port = port;
      announce(swarms, swarm, hog);
    }
    for (let number = 2; number < 12; number += 1) {
      const other = peer(number, family);
      other.words[0] = number;
      announce(swarms, swarm, other);
    }
    const asker = peer(500, family);
    const hogged = sampled(swarms, swarm, { peersMax: 50, asker });
    assert.equal(hogged.length, 50, "the rest of the answer is not wasted");
    assert.equal(new Set(hogged.map((each) => each.replace(/:[0-9]+$/, ""))).size, 11);
    assert.equal(new Set(hogged).size, 50);
  });
}

/** A different /64 network for each number, all within one /48. */
function neighbour(number: number, port = 1): PeerAddress {
  const address = peer(1, 6);
  address.words[1] = 0x2020_0000 + number;
  address.port = port;
  return address;
}

test("TRK-23: an IPv6 site of many /64s has a share of a swarm and of all together", () => {
  const swarms = store({ peersPerAddressInSwarmMax: 3, peersPerAddressMax: 5 });
  const [first, second] = [swarms.open([infohash(1)]), swarms.open([infohash(2)])];
  const outcomes = (swarm: number): string[] =>
    Array.from({ length: 60 }, (_, number) => announce(swarms, swarm, neighbour(number)).outcome);
  const inFirst = outcomes(first);
  assert.equal(inFirst.filter((outcome) => outcome === "stored").length, 48, "16 shares of 3");
  assert.equal(inFirst.at(-1), "unlisted");
  const inSecond = outcomes(second);
  assert.equal(inSecond.filter((outcome) => outcome === "stored").length, 32, "16 shares of 5");
  assert.equal(inSecond.at(-1), "address-quota");
  const elsewhere = neighbour(1);
  elsewhere.words[1] = 0x2021_0001;
  assert.equal(announce(swarms, second, elsewhere).outcome, "stored", "another site");
  for (let number = 0; number < 60; number += 1) {
    announce(swarms, first, neighbour(number), { event: "stopped" });
  }
  assert.equal(
    announce(swarms, first, neighbour(99)).outcome,
    "stored",
    "a peer that leaves makes room",
  );
});

test("TRK-23: an answer names each IPv6 site once before it repeats one, then each address", () => {
  const swarms = store();
  const swarm = swarms.open([infohash(1)]);
  for (let number = 0; number < 300; number += 1) {
    announce(swarms, swarm, neighbour(number % 100, 1 + number));
  }
  const others = Array.from({ length: 10 }, (_, number) => {
    const other = neighbour(0, 7_000 + number);
    other.words[0] = number;
    announce(swarms, swarm, other);
    return other.port;
  });
  for (let round = 0; round < 20; round += 1) {
    swarms.setTime(1_000_000 + round);
    const named = sampled(swarms, swarm, { peersMax: 30, asker: peer(500, 6) });
    const ports = new Set(named.map((each) => Number(each.split(":").at(-1))));
    assert.deepEqual(
      others.filter((port) => !ports.has(port)),
      [],
      "no peer of another site is missing",
    );
    assert.equal(named.length, 30, "the rest of the answer is not wasted");
    const networks = new Set(named.map((each) => each.replace(/:[0-9]+$/, "")));
    assert.equal(networks.size, 30, "and names each address once");
  }
});

test("TRK-10: announces of one address from a million ports do not fill the memory", () => {
  const swarms = store({ swarmsMax: 1_000_000 });
  const swarmOf = Array.from({ length: 1_000 }, (_, number) => swarms.open([infohash(number)]));
  const who = peer(1);
  const before = process.memoryUsage().arrayBuffers;
  for (let index = 0; index < 1_000_000; index += 1) {
    who.port = 1 + (index % 65_535);
    announce(swarms, swarmOf[index % 1_000]!, who);
  }
  assert.equal(swarms.peerCount, SWARM_LIMITS.peersPerAddressMax);
  const grownBy = process.memoryUsage().arrayBuffers - before;
  assert.ok(grownBy < 10_000 * 48 * 8, `${grownBy} bytes`);
});

for (const details of [false, true]) {
  for (const family of [4, 6] as const) {
    test(`a swarm behaves like a plain list of its peers: IPv${family}, details ${details}`, () => {
      const swarms = store({ details });
      const swarm = swarms.open([infohash(1)]);
      const neighbour = swarms.open([infohash(2)]);
      announce(swarms, neighbour, peer(1, family));
      const random = chance(21);
      const model = new Map<number, boolean>();
      for (let round = 0; round < 6_000; round += 1) {
        // The swarm grows to hundreds, then shrinks, and so passes from list to hash table and
        // back.
        const isLeaving = random.below(10) < (round < 3_500 ? 2 : 8);
        const number = random.below(700);
        const left = random.below(2);
        announce(swarms, swarm, peer(number, family), {
          left,
          event: isLeaving ? "stopped" : "started",
        });
        if (isLeaving) model.delete(number);
        else model.set(number, left === 0);
        if (round % 50 !== 0) continue;
        const seeds = [...model.values()].filter(Boolean).length;
        assert.deepEqual(countsOf(swarms, swarm), [seeds, model.size - seeds]);
        assert.equal([...swarms.peers(swarm)].length, model.size);
        const asker = peer(random.below(700), family);
        const wanted = random.below(100);
        const others = model.size - (model.has(numberOf(asker)) ? 1 : 0);
        const got = sampled(swarms, swarm, { peersMax: wanted, asker });
        assert.equal(new Set(got).size, Math.min(wanted, others));
      }
      assert.deepEqual(countsOf(swarms, neighbour), [0, 1]);
    });
  }
}

function numberOf(address: PeerAddress): number {
  return address.words[address.wordCount - 1]! - 0x0a00_0000;
}

test("10 000 peers in one swarm: an answer names any number of them, and every peer at some time", () => {
  const swarms = store({ details: false });
  const swarm = swarms.open([infohash(1)]);
  for (let number = 0; number < 10_000; number += 1) {
    announce(swarms, swarm, peer(number), { left: number % 2 });
  }
  const seen = new Set<string>();
  for (let round = 0; round < 1_000; round += 1) {
    const got = sampled(swarms, swarm, { peersMax: 200 });
    assert.equal(new Set(got).size, 200);
    for (const each of got) seen.add(each);
  }
  assert.ok(seen.size > 9_900, `${seen.size}`);
  const leechers = sampled(swarms, swarm, { peersMax: 200, forSeed: true });
  assert.equal(leechers.length, 200);
  assert.ok(leechers.every((each) => Number(each.split(":")[1]) % 2 === 0));
});

test("no answer names silent peers, and they are dropped", () => {
  const swarms = store();
  const swarm = swarms.open([infohash(1)]);
  for (let number = 0; number < 300; number += 1) announce(swarms, swarm, peer(number));
  announce(swarms, swarm, peer(1, 6));
  swarms.setTime(1_001_500);
  for (let number = 0; number < 5; number += 1) announce(swarms, swarm, peer(number));
  swarms.setTime(1_001_800);
  assert.equal(sampled(swarms, swarm, { peersMax: 200 }).length, 5);
  swarms.expire(swarm);
  assert.deepEqual(countsOf(swarms, swarm), [0, 5]);
  assert.equal(swarms.peerCount, 5);
  swarms.setTime(1_100_000);
  swarms.expire(swarm);
  assert.equal(swarms.peerCount, 0);
});

test("swarms open, close and are found, by the thousand", () => {
  const swarms = store({ swarmsMax: 5_000 });
  const words = (number: number) => new Int32Array(infohash(number).buffer);
  for (let number = 0; number < 5_000; number += 1) swarms.open([infohash(number)]);
  assert.equal(swarms.open([infohash(9_999)]), -1, "no more than allowed");
  for (let number = 0; number < 5_000; number += 2) swarms.close(swarms.find(words(number)));
  for (let number = 0; number < 5_000; number += 1) {
    const swarm = swarms.find(words(number));
    assert.equal(swarm === -1, number % 2 === 0, `${number}`);
    if (swarm >= 0) assert.deepEqual(swarms.infohashes(swarm), [infohash(number)]);
  }
  assert.equal(swarms.swarmCount, 2_500);
  const again = swarms.open([infohash(1e6), infohash(2e6)]);
  assert.ok(again >= 0 && again < 5_000, "a number is reused");
  assert.equal(swarms.find(words(2e6)), again);
});

test("TRK-10: memory by peer is bounded: 8 bytes and the spare room of tables", () => {
  const swarms = store({ details: false, peersPerSwarmMax: 200_000 });
  const before = process.memoryUsage().arrayBuffers;
  const swarm = swarms.open([infohash(1)]);
  for (let number = 0; number < 100_000; number += 1) announce(swarms, swarm, peer(number));
  const table = 131_072 * 8;
  const used = process.memoryUsage().arrayBuffers - before;
  assert.ok(
    used < 4 * table,
    `${used / 100_000} bytes a peer, old tables not collected yet included`,
  );
});
