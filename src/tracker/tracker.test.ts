import assert from "node:assert/strict";
import { test } from "node:test";
import { finish } from "../base/work.ts";
import { concatBytes } from "../base/bytes.ts";
import { sha256 } from "../base/hash.ts";
import { COMPLETED, PARTIAL_SEED, SEED } from "./peer-word.ts";
import { encodeSnapshot, restoreSnapshot } from "./snapshot.ts";
import {
  HASH,
  numberAt,
  PEER_ID,
  peersOf,
  TORRENT,
  trackerWorld,
} from "../../test/tracker/tracker-world.ts";

const HYBRID = { v1: new Uint8Array(20).fill(0xaa), v2: new Uint8Array(32).fill(0xcc) };

function restoring(from: ReturnType<typeof trackerWorld>, pauseS: number) {
  const to = trackerWorld();
  const bytes = encodeSnapshot(from.swarms, from.clock.wallMs());
  const restore = (snapshot: Uint8Array): number | undefined =>
    restoreSnapshot(snapshot, to.swarms, {
      wallMs: from.clock.wallMs() + pauseS * 1000,
      admit: (infohash) => to.tracker.admitRestored(infohash),
    });
  return { to, bytes, restore };
}

test("TRK-20: only an open tracker tracks an unregistered torrent", () => {
  const target = `/announce?info_hash=${"%bb".repeat(20)}&peer_id=${PEER_ID}&port=1&left=1`;
  assert.match(trackerWorld().get(target), /not registered here/);
  const open = trackerWorld({ open: true });
  const text = open.get(target);
  assert.equal(numberAt(text, "complete"), 0, "and the everseed does not have it");
  assert.deepEqual(peersOf(text), []);
});

test("both infohashes of a hybrid meet in one swarm", () => {
  const world = trackerWorld({ torrents: [HYBRID] });
  world.announce(1);
  const text = world.get(
    `/announce?info_hash=${"%cc".repeat(20)}&peer_id=${PEER_ID}&port=2&left=1&compact=1`,
  );
  assert.deepEqual(peersOf(text), ["9.9.9.9:8421", "198.51.100.7:1"]);
  assert.deepEqual(world.tracker.figures(HYBRID), { seeds: 1, leechers: 2, completed: 0 });
});

for (const half of ["v1", "v2"] as const) {
  test(`TRK-24: a peer that came by the ${half} half of a hybrid stays in its swarm when it is published and others come by the other half`, async () => {
    const world = trackerWorld({ torrents: [] });
    const hashes = { v1: "%aa".repeat(20), v2: "%cc".repeat(20) };
    const ask = (hash: string, port: number, more = "left=1") =>
      world.get(`/announce?info_hash=${hash}&peer_id=${PEER_ID}&port=${port}&compact=1&${more}`);
    world.tracker.setFetched(HYBRID[half].subarray(0, 20), true);
    ask(hashes[half], 1);
    ask(hashes[half], 1, "left=0&downloaded=1&event=completed");
    world.tracker.register(HYBRID);
    const other = half === "v1" ? "v2" : "v1";
    assert.ok(
      peersOf(ask(hashes[other], 2)).some((each) => each.endsWith(":1")),
      "they meet",
    );
    const seen = peersOf(ask(hashes[half], 3));
    assert.ok([":1", ":2"].every((end) => seen.some((each) => each.endsWith(end))));
    assert.deepEqual(world.tracker.figures(HYBRID), { seeds: 2, leechers: 2, completed: 1 });
    await world.tracker.stop();
    assert.equal(world.saved.get("aa".repeat(20))?.completed, 1, "kept by the first infohash");
    world.tracker.unregister(HYBRID);
    assert.equal(world.swarms.swarmCount, 0);
  });
}

test("a torrent being fetched is tracked, the everseed is no seed of it before it is published, and an abandoned one is refused", () => {
  const world = trackerWorld({ torrents: [] });
  const ask = (port: number) =>
    world.get(`/announce?info_hash=${HASH}&peer_id=${PEER_ID}&port=${port}&compact=1&left=1`);
  assert.match(ask(1), /not registered here/);
  world.tracker.setFetched(TORRENT.v1!, true);
  ask(1);
  assert.equal(numberAt(ask(2), "complete"), 0);
  assert.equal(numberAt(ask(3), "incomplete"), 3, "they meet, in any order");
  world.tracker.setFetched(TORRENT.v1!, false);
  assert.match(ask(4), /not registered here/);
  world.tracker.register(TORRENT);
  assert.equal(numberAt(ask(5), "complete"), 1);
});

for (const hasUnsaved of [false, true]) {
  test(`HUB-18: an unpublished torrent is no longer tracked, ${hasUnsaved ? "with" : "without"} unsaved totals, and is tracked again when it comes back`, async () => {
    const world = trackerWorld({ torrents: [HYBRID] });
    const ask = (hash: string, port: number, more = "left=1") =>
      world.get(`/announce?info_hash=${hash}&peer_id=${PEER_ID}&port=${port}&compact=1&${more}`);
    const [v1, v2] = ["%aa".repeat(20), "%cc".repeat(20)];
    ask(v1, 1);
    ask(v2, 2);
    if (hasUnsaved) ask(v1, 1, "left=0&event=completed");
    world.tracker.unregister(HYBRID);
    for (const hash of [v1, v2]) {
      assert.match(ask(hash, 3), /not registered here/);
      assert.doesNotMatch(world.get(`/scrape?info_hash=${hash}`), /complete/);
    }
    assert.deepEqual(finish(world.tracker.scrapeAll(10)), []);
    // Its swarm closes when the totals are saved.
    world.tracker.start();
    for (let minute = 0; minute < 2; minute += 1) {
      world.clock.pass(60);
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.equal(world.swarms.peerCount, 0);
    assert.equal(world.swarms.swarmCount, 0);
    world.tracker.register(HYBRID);
    assert.deepEqual(peersOf(ask(v2, 4)), ["9.9.9.9:8421"], "the everseed, and no earlier peer");
    assert.equal(world.tracker.figures(HYBRID).completed, hasUnsaved ? 1 : 0);
  });
}

test("HUB-18: a torrent comes back to a swarm whose totals were not saved yet", () => {
  const world = trackerWorld();
  world.announce(1, "&left=0&event=completed");
  world.tracker.unregister(TORRENT);
  world.tracker.register(TORRENT);
  assert.deepEqual(peersOf(world.announce(2)), ["9.9.9.9:8421"]);
});

test("HUB-19: an everseed that lacks pieces is a peer, and no seed, until it is whole", () => {
  const world = trackerWorld({ torrents: [HYBRID] });
  const { tracker } = world;
  const ask = (hash: string): string =>
    world.get(`/announce?info_hash=${hash}&peer_id=${PEER_ID}&port=4&left=1&compact=1`);
  const [v1, v2] = ["%aa".repeat(20), "%cc".repeat(20)];
  const completeOf = (text: string) => numberAt(text, "complete");
  tracker.setWhole(HYBRID, false);
  const scrape = () => completeOf(world.get(`/scrape?info_hash=${v2}`));
  assert.equal(scrape(), 0, "nobody is in its swarm yet");
  assert.deepEqual([completeOf(ask(v1)), completeOf(ask(v2)), scrape()], [0, 0, 0]);
  assert.deepEqual(peersOf(ask(v2)), ["9.9.9.9:8421"], "it serves what it has");
  assert.equal(tracker.figures(HYBRID).seeds, 1, "pages count it all the same");
  tracker.setWhole(HYBRID, true);
  assert.deepEqual([completeOf(ask(v1)), scrape()], [1, 1]);
  tracker.setWhole(HYBRID, false);
  tracker.unregister(HYBRID);
  tracker.register(HYBRID);
  assert.equal(completeOf(ask(v1)), 1, "its removal cleared its state");
});

test("an open tracker keeps tracking a torrent that the hub unpublishes, without its everseed", () => {
  const world = trackerWorld({ open: true });
  world.announce(1);
  world.tracker.unregister(TORRENT);
  assert.deepEqual(peersOf(world.announce(2)), ["198.51.100.7:1"]);
});

test("a torrent without peers has no swarm, but still reports its everseed and its completions", () => {
  const world = trackerWorld({
    saved: { ["aa".repeat(20)]: { completed: 12, uploaded: 5, downloaded: 6 } },
  });
  assert.deepEqual(world.tracker.figures(TORRENT), { seeds: 1, leechers: 0, completed: 12 });
  const text = world.get(`/scrape?info_hash=${HASH}`);
  assert.equal(numberAt(text, "total_downloaded"), 6);
  assert.equal(world.swarms.swarmCount, 0);
});

test("a peer that stops leaves no entry, and gets no peers", () => {
  const world = trackerWorld();
  world.announce(1, "&event=started");
  const text = world.announce(1, "&event=stopped");
  assert.deepEqual(peersOf(text), []);
  assert.equal(numberAt(text, "incomplete"), 0);
  assert.equal(world.swarms.peerCount, 0);
});

test("PUB-3.14: a peer stays for two intervals, then its swarm closes once its totals are saved", async () => {
  const world = trackerWorld();
  world.tracker.start();
  world.announce(1, "&event=started");
  world.clock.pass(300);
  world.announce(1, "&left=0&event=completed");
  world.clock.pass(1400);
  assert.deepEqual(world.tracker.figures(TORRENT), { seeds: 2, leechers: 0, completed: 1 });
  world.disk.broken = true;
  world.clock.pass(600);
  world.clock.pass(60);
  assert.equal(world.swarms.peerCount, 0);
  await world.tracker.stop();
  world.disk.broken = false;
  world.tracker.start();
  await world.tracker.stop();
  assert.deepEqual(world.saved.get("aa".repeat(20))?.completed, 1, "kept until it could be saved");
  world.tracker.start();
  world.clock.pass(600);
  assert.equal(world.swarms.swarmCount, 0);
  assert.equal(world.tracker.figures(TORRENT).completed, 1);
});

test("PUB-3.6, PUB-3.7: status, counters, key and peer id of each peer survive a restart", () => {
  const before = trackerWorld();
  const rest = `uploaded=3&downloaded=77&key=CAFEBABE&left=0&event=started`;
  before.get(`/announce?info_hash=${HASH}&peer_id=${PEER_ID}&port=1&${rest}`);
  before.announce(2, "&event=started", "2001:db8::1");
  before.announce(3, "&left=5&event=paused");
  const { to, bytes, restore } = restoring(before, 60);
  assert.equal(restore(bytes), 3);
  const inOrder = (world: typeof to) => {
    const swarm = world.tracker.admitRestored(TORRENT.v1!);
    return [...world.swarms.peers(swarm)].toSorted((a, b) => a.port - b.port);
  };
  const [peer] = inOrder(to);
  const words = new DataView(new ArrayBuffer(24));
  for (let i = 0; i < 6; i += 1) words.setInt32(i * 4, peer!.details[i]!);
  assert.equal(Buffer.from(words.buffer, 0, 20).toString(), PEER_ID);
  assert.equal(words.getUint32(20), 0xcafebabe);
  assert.deepEqual([...peer!.details.subarray(6)], [0, 3, 0, 77]);
  assert.deepEqual(
    inOrder(to).map(({ flags, address }) => ({ flags, address })),
    inOrder(before).map(({ flags, address }) => ({ flags, address })),
  );
  const text = to.get(`/announce?info_hash=${HASH}&peer_id=${PEER_ID}&port=9&left=1`);
  assert.match(text, new RegExp(`7:peer id20:${PEER_ID}4:porti1e`));
});

test("a snapshot that is old, truncated, damaged or of removed torrents restores no peer", () => {
  const before = trackerWorld();
  for (let port = 1; port <= 100; port += 1) before.announce(port);
  const { bytes, restore } = restoring(before, 0);
  for (const length of [0, 1, 19, 50, bytes.length - 1]) {
    assert.equal(restore(bytes.subarray(0, length)), undefined, `${length} bytes`);
  }
  for (let at = 0; at < bytes.length; at += 97) {
    const damaged = bytes.slice();
    damaged[at]! ^= 4;
    assert.equal(restore(damaged), undefined, `byte ${at}`);
  }
  const late = restoring(before, 3600);
  assert.equal(late.restore(late.bytes), 0);
  const gone = restoring(before, 0);
  gone.to.tracker.unregister(TORRENT);
  assert.equal(gone.restore(gone.bytes), 0);
  assert.equal(gone.to.swarms.swarmCount, 0);
  assert.equal(restore(bytes), 100, "and every peer when intact");
});

test("a truncated snapshot with a valid digest ends where its bytes end", () => {
  const before = trackerWorld();
  for (let port = 1; port <= 3; port += 1) before.announce(port);
  const whole = restoring(before, 0).bytes;
  for (let cut = 1; cut < whole.length - 32; cut += 1) {
    const body = whole.subarray(0, whole.length - 32 - cut);
    const { restore } = restoring(before, 0);
    const restored = restore(concatBytes([body, sha256(body)])) ?? 0;
    assert.ok(restored <= 2, `${restored} without the last ${cut} bytes`);
  }
});

test("a snapshot's peer without a port or with a NaN time is dropped, and unknown flags are not kept", () => {
  const { swarms, tracker } = trackerWorld();
  const swarm = tracker.admitRestored(TORRENT.v1!);
  const peer = {
    address: Uint8Array.of(192, 0, 2, 1),
    port: 7,
    flags: SEED,
    idleS: 0,
    details: new Int32Array(),
  };
  for (const wrong of [{ port: 0 }, { idleS: Number.NaN }, { idleS: -64 }]) {
    assert.equal(swarms.restore(swarm, { ...peer, ...wrong }), false, JSON.stringify(wrong));
  }
  assert.equal(swarms.peerCount, 0);
  assert.equal(swarms.restore(swarm, { ...peer, flags: ~0xffff }), true);
  const [stored] = [...swarms.peers(swarm)];
  assert.deepEqual([stored!.port, stored!.flags], [7, SEED | PARTIAL_SEED | COMPLETED]);
  assert.equal(stored!.idleS, 0, "flags did not run into the time");
});

test("TRK-15: input that looks like SQL is treated as plain bytes", () => {
  const world = trackerWorld();
  const text = world.get(
    `/announce?info_hash=${HASH}&peer_id=${encodeURIComponent("'; drop table users;")}&port=1` +
      `&key=${encodeURIComponent("' or 1=1; --")}&left=1&trackerid=${encodeURIComponent("');")}`,
  );
  assert.equal(numberAt(text, "incomplete"), 1);
});

test("an open tracker opens no more swarms than its limit, and forgets those of strangers", () => {
  const world = trackerWorld({ open: true, limits: { swarmsMax: 10 } });
  world.tracker.start();
  const ask = (number: number): string => {
    const hash = number.toString(16).padStart(40, "0").replace(/../g, "%$&");
    return world.get(`/announce?info_hash=${hash}&peer_id=${PEER_ID}&port=1&left=1`);
  };
  for (let number = 0; number < 10; number += 1) assert.doesNotMatch(ask(number), /failure/);
  assert.match(ask(10), /this tracker is full/);
  world.clock.pass(4000);
  assert.equal(world.swarms.swarmCount, 0);
  assert.doesNotMatch(ask(11), /failure/);
});

test("TRK-10: infohashes that no peer stays for take no place in the table of swarms", () => {
  const world = trackerWorld({ open: true, limits: { swarmsMax: 10, peersPerAddressMax: 3 } });
  const ask = (number: number, more = ""): string => {
    const hash = number.toString(16).padStart(40, "0").replace(/../g, "%$&");
    return world.get(`/announce?info_hash=${hash}&peer_id=${PEER_ID}&port=1&left=1${more}`);
  };
  for (let number = 0; number < 50; number += 1) ask(number, "&event=stopped");
  assert.equal(world.swarms.swarmCount, 0);
  for (let number = 0; number < 3; number += 1) assert.doesNotMatch(ask(number), /failure/);
  for (let number = 3; number < 50; number += 1) assert.match(ask(number), /too many peers/);
  assert.equal(world.swarms.swarmCount, 3);
});

test("a torrent published on an open tracker gets its everseed in the existing swarm", () => {
  const world = trackerWorld({ open: true, torrents: [] });
  assert.deepEqual(peersOf(world.announce(1)), []);
  world.tracker.register(TORRENT);
  assert.deepEqual(peersOf(world.announce(1)), ["9.9.9.9:8421"]);
});

test("TRK-10: one address gets an honest swarm's peers and does not drown them", () => {
  const limits = { peersPerAddressInSwarmMax: 32 };
  const world = trackerWorld({ everseed: false, limits });
  const honest = Array.from({ length: 10 }, (_, n) => `9.9.${n}.9`);
  for (const address of honest) world.announce(6881, "", address);
  for (let port = 1; port <= 1_500; port += 1) {
    assert.doesNotMatch(world.announce(port, "", "9.8.7.6"), /failure/);
  }
  const places = Array.from({ length: 30 }, (_, n) => peersOf(world.announce(1, "", `8.8.8.${n}`)));
  for (const peers of places) {
    assert.equal(honest.filter((address) => peers.includes(`${address}:6881`)).length, 10);
  }
});

test("TRK-10: an open tracker remembers a bounded number of strangers' infohashes, and none on disk", async () => {
  const world = trackerWorld({ open: true, torrents: [] });
  const hash = (number: number): string =>
    number.toString(16).padStart(40, "0").replace(/../g, "%$&");
  const say = (number: number, more: string): string =>
    world.get(`/announce?info_hash=${hash(number)}&peer_id=${PEER_ID}&port=1${more}`);
  const complete = (number: number): void => {
    say(number, "&left=5&downloaded=0&event=started");
    say(number, "&left=0&downloaded=5&event=completed");
    say(number, "&left=0&downloaded=5&event=stopped");
  };
  const downloaded = (number: number): string | undefined => {
    const answer = say(number, "&left=5&event=started");
    say(number, "&left=5&event=stopped");
    return /10:downloadedi(\d+)e/.exec(answer)?.[1];
  };
  complete(1);
  assert.equal(downloaded(1), "1", "remembered while there is room");
  assert.equal(world.swarms.swarmCount, 0);
  for (let number = 2; number < 10_100; number += 1) complete(number);
  assert.equal(downloaded(10_099), "1");
  assert.equal(downloaded(1), "0", "the oldest are forgotten");
  await world.tracker.stop();
  assert.equal(world.saved.size, 0);
});

test("TRK-17: what a swarm did before its torrent was registered counts for it and is saved", async () => {
  const world = trackerWorld({ open: true, torrents: [] });
  world.announce(1, "&event=started&left=5");
  world.announce(1, "&event=completed&left=0&downloaded=5");
  world.tracker.register(TORRENT);
  await world.tracker.stop();
  assert.equal(world.saved.get("aa".repeat(20))?.completed, 1);
});
