import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeFailure } from "../announce/http-answer.ts";
import { fromLatin1, toHex } from "../base/bytes.ts";
import { ipOf, tcpAddress } from "../base/peer-address.ts";
import {
  A,
  B,
  MINUTE_MS,
  PEER,
  reply,
  ScriptedTrackers,
  SECOND_MS,
} from "../../test/tracker/scripted-trackers.ts";

test("trackers of other kinds are left out, and nothing happens before the torrent wants peers", () => {
  const world = new ScriptedTrackers();
  assert.equal(world.client.source([["wss://a.example"], []]), undefined);
  assert.deepEqual(world.client.source([[A]])?.status(), []);
  assert.equal(world.heard.length, 0);
});

test("a tracker in the world is told the port of the router, one in our network the port of the machine", async () => {
  const world = new ScriptedTrackers();
  world.names.set("a.example", ["9.1.2.3"]);
  world.names.set("b.example", ["192.168.1.3"]);
  const { handle } = world.attach([[A], [B]]);
  await world.pass(SECOND_MS);
  const ports = new Map(world.heard.map(({ tracker, request }) => [tracker, request.port]));
  assert.equal(ports.get(A), 16_881);
  assert.equal(ports.get(B), 6_881);
  await handle.detach();
});

test("WIR-29: a tracker that an IP filter keeps away is not asked, and its state says why", async () => {
  const world = new ScriptedTrackers();
  world.names.set("a.example", ["9.1.2.3", "9.1.2.4"]);
  world.names.set("b.example", ["9.1.2.3", "9.1.2.5"]);
  for (const address of ["9.1.2.3", "9.1.2.4"]) world.keptAway.add(address);
  world.answers.set(B, () => reply([PEER]));
  const { source } = world.attach([[A], [B]]);
  await world.pass(SECOND_MS);
  assert.deepEqual(
    world.heard.map(({ tracker }) => tracker),
    [B],
  );
  const [kept, asked] = source.status();
  assert.equal(asked!.state, "working");
  assert.deepEqual([kept!.state, kept!.message], ["failing", "kept away: 9.1.2.3"]);
});

test("started, then regular announces by the interval, then stopped", async () => {
  const world = new ScriptedTrackers();
  world.answers.set(A, () => reply([PEER, { ...PEER, port: 2 }]));
  const { handle, source } = world.attach([[A]]);
  assert.equal(world.heard.length, 0);
  await world.pass(SECOND_MS);
  assert.deepEqual(world.offered.length, 2);
  const [status] = source.status();
  assert.ok(status?.state === "working" && status.peersGiven === 2);
  assert.ok(status.nextAnnounceInMs! > 700 * SECOND_MS);
  await world.pass(25 * MINUTE_MS);
  assert.deepEqual(world.events(A), ["started", "none", "none"]);
  const [first, second] = world.heard;
  const pauseMs = second!.atMs - first!.atMs;
  assert.ok(pauseMs >= 720 * SECOND_MS && pauseMs < 810 * SECOND_MS, `${pauseMs} ms`);
  assert.ok(first!.request.key !== 0 && first!.request.key === second!.request.key);
  await handle.detach();
  assert.deepEqual(world.events(A).at(-1), "stopped");
  assert.equal(world.heard.at(-1)!.request.numwant, 0);
  await world.pass(60 * MINUTE_MS);
  assert.equal(world.heard.length, 4);
});

test("a lone peer asks again after min interval, and candidates are offered only when wanted", async () => {
  const world = new ScriptedTrackers();
  world.answers.set(A, () => reply([PEER]));
  world.attach([[A]]);
  await world.pass(5 * MINUTE_MS);
  assert.deepEqual(world.events(A), ["started", "none"]);
  world.swarm.wantsPeers = false;
  await world.pass(5 * MINUTE_MS);
  assert.equal(world.heard.at(-1)!.request.numwant, 0);
  assert.equal(world.offered.length, 2);
});

test("completed is sent at once, and only once", async () => {
  const world = new ScriptedTrackers();
  world.answers.set(A, () => reply([PEER, PEER]));
  const { handle } = world.attach([[A]]);
  await world.pass(SECOND_MS);
  world.swarm.left = 0;
  handle.handleComplete();
  await world.pass(30 * MINUTE_MS);
  assert.deepEqual(world.events(A), ["started", "completed", "none", "none"]);
});

test("a download that ends before the tracker answers is reported as completed too", async () => {
  const world = new ScriptedTrackers();
  world.answers.set(A, () => reply());
  const { handle } = world.attach([[A]]);
  world.clock.runFor(1);
  world.swarm.left = 0;
  handle.handleComplete();
  await world.pass(SECOND_MS);
  assert.deepEqual(world.events(A), ["started", "completed"]);
});

test("a command that ends with its download sends completed before stopped", async () => {
  const world = new ScriptedTrackers();
  world.answers.set(A, () => reply());
  const { handle } = world.attach([[A]]);
  await world.pass(SECOND_MS);
  world.swarm.left = 0;
  handle.handleComplete();
  await handle.detach();
  assert.deepEqual(world.events(A), ["started", "completed", "stopped"]);
});

test("a torrent that was complete from the start never sends completed", async () => {
  const world = new ScriptedTrackers();
  world.swarm.left = 0;
  world.answers.set(A, () => reply());
  const { handle } = world.attach([[A]]);
  handle.handleComplete();
  await world.pass(20 * MINUTE_MS);
  assert.deepEqual(world.events(A), ["started", "none"]);
});

test("BEP 21: a partial seed sends paused instead", async () => {
  const world = new ScriptedTrackers();
  world.answers.set(A, () => reply());
  const { handle } = world.attach([[A]]);
  await world.pass(SECOND_MS);
  handle.handleComplete();
  await world.pass(14 * MINUTE_MS);
  assert.deepEqual(world.events(A).slice(0, 2), ["started", "paused"]);
  assert.ok(!world.events(A).includes("completed"));
});

test("hybrid torrents are announced by both infohashes, each with its own tracker id", async () => {
  const world = new ScriptedTrackers();
  world.swarm.infohashes = { v1: new Uint8Array(20).fill(1), v2: new Uint8Array(32).fill(2) };
  world.answers.set(A, ({ infohash }) => reply([PEER, PEER], `10:tracker id1:${infohash[0]}`));
  const { handle } = world.attach([[A]]);
  await world.pass(SECOND_MS);
  assert.deepEqual(
    world.heard.map(({ request }) => toHex(request.infohash)),
    ["01".repeat(20), "02".repeat(20)],
  );
  await handle.detach();
  assert.deepEqual(
    world.heard.map(({ request, trackerId }) => [request.event, request.infohash[0], trackerId]),
    [
      ["started", 1, undefined],
      ["started", 2, undefined],
      ["stopped", 1, "1"],
      ["stopped", 2, "2"],
    ],
  );
});

test("a tracker that knows one of two infohashes helps, and is not asked for the other again", async () => {
  const world = new ScriptedTrackers();
  world.swarm.infohashes = { v1: new Uint8Array(20).fill(1), v2: new Uint8Array(32).fill(2) };
  world.answers.set(A, ({ infohash, event }) =>
    infohash[0] === 2 && event === "completed" ? encodeFailure("no") : reply([PEER, PEER]),
  );
  const { handle, source } = world.attach([[A]]);
  await world.pass(SECOND_MS);
  world.swarm.left = 0;
  handle.handleComplete();
  await world.pass(MINUTE_MS);
  assert.equal(source.status()[0]!.state, "working");
  assert.equal(world.heard.length, 4);
});

test("BEP 7: a tracker with both address families hears from us over both, each from start to stop", async () => {
  const world = new ScriptedTrackers();
  world.names.set("a.example", ["2001:db8::9", "10.0.0.9", "10.0.0.10"]);
  world.answers.set(A, (_request, family) => reply([{ address: `10.0.0.${family}`, port: 1 }]));
  const { handle } = world.attach([[A]]);
  await world.pass(SECOND_MS);
  assert.deepEqual(world.offered.map(ipOf), ["10.0.0.4", "10.0.0.6"]);
  world.swarm.left = 0;
  handle.handleComplete();
  await world.pass(SECOND_MS);
  await handle.detach();
  const told = [4, 6].map((family) =>
    world.heard.filter((each) => each.family === family).map(({ request }) => request.event),
  );
  assert.deepEqual(told, Array(2).fill(["started", "completed", "stopped"]));
  assert.equal(new Set(world.heard.map(({ request }) => request.key)).size, 1);
});

test("BEP 7: an address family without a route delays nothing, and is tried again", async () => {
  const world = new ScriptedTrackers();
  world.names.set("a.example", ["2001:db8::9", "10.0.0.9"]);
  let isIpv6Dead = true;
  world.answers.set(A, (_request, family) => (family === 6 && isIpv6Dead ? "down" : reply([PEER])));
  const { handle, source } = world.attach([[A]]);
  await world.pass(SECOND_MS);
  assert.equal(source.status()[0]!.state, "working");
  const count = (): number => world.heard.filter(({ family }) => family === 6).length;
  await world.pass(6 * MINUTE_MS);
  assert.equal(count(), 2);
  isIpv6Dead = false;
  await world.pass(6 * MINUTE_MS);
  assert.deepEqual(
    world.heard.filter(({ family }) => family === 6).map(({ request }) => request.event),
    ["started", "started", "started"],
  );
  await handle.detach();
});

test("BEP 7: while one family is silent, the other announces and says goodbye", async () => {
  const world = new ScriptedTrackers();
  world.names.set("a.example", ["2001:db8::9", "10.0.0.9"]);
  world.answers.set(A, (_request, family) => (family === 6 ? "silent" : reply([PEER])));
  const { handle, source } = world.attach([[A]]);
  await world.pass(SECOND_MS);
  assert.equal(source.status()[0]!.state, "working");
  await world.pass(10 * MINUTE_MS);
  await world.leave(handle);
  const told = world.heard.filter(({ family }) => family === 4).map(({ request }) => request.event);
  assert.deepEqual(told, ["started", "none", "none", "stopped"]);
});

test("a tracker whose name has no address is asked again later", async () => {
  const world = new ScriptedTrackers();
  world.names.set("a.example", []);
  world.answers.set(A, () => reply([PEER]));
  const { source } = world.attach([[A]]);
  await world.pass(SECOND_MS);
  assert.equal(source.status()[0]!.message, "a.example has no address");
  world.names.delete("a.example");
  await world.pass(MINUTE_MS);
  assert.equal(source.status()[0]!.state, "working");
});

test("BEP 27: a magnet link's torrent that turns out to be private keeps one tracker and leaves the others", async () => {
  const world = new ScriptedTrackers();
  world.answers.set(A, () => reply());
  world.answers.set(B, () => reply());
  const { handle } = world.attach([[A], [B]]);
  await world.pass(SECOND_MS);
  assert.deepEqual([world.events(A), world.events(B)], [["started"], ["started"]]);
  world.swarm.isPrivate = true;
  handle.handleMetadata();
  await world.pass(30 * MINUTE_MS);
  assert.deepEqual(world.events(B), ["started", "stopped"]);
  assert.deepEqual(world.events(A).slice(0, 3), ["started", "none", "none"]);
  await handle.detach();
  assert.deepEqual(world.events(B), ["started", "stopped"]);
  assert.equal(world.events(A).at(-1), "stopped");
});

test("BEP 27: a private torrent keeps the tracker that answers", async () => {
  const world = new ScriptedTrackers();
  world.answers.set(A, () => "silent");
  world.answers.set(B, () => reply());
  const { handle } = world.attach([[A], [B]]);
  await world.pass(SECOND_MS);
  world.swarm.isPrivate = true;
  handle.handleMetadata();
  world.answers.set(A, () => "down");
  await world.pass(10 * MINUTE_MS);
  assert.ok(!world.events(B).includes("stopped"));
  assert.ok(world.events(B).length > 2);
});

test("a magnet link's torrent that is not private goes on with all trackers", async () => {
  const world = new ScriptedTrackers();
  for (const tracker of [A, B]) world.answers.set(tracker, () => reply());
  const { handle } = world.attach([[A], [B]]);
  await world.pass(SECOND_MS);
  handle.handleMetadata();
  await world.pass(MINUTE_MS);
  assert.deepEqual([world.events(A), world.events(B)], [["started"], ["started"]]);
});

test("VT-5, BTFS-T2: with a dead tracker in tier 1, tier 2 is asked at the same time", async () => {
  const world = new ScriptedTrackers();
  world.answers.set(A, () => "silent");
  world.answers.set(B, () => reply([PEER]));
  const { handle, source } = world.attach([[A], [B]]);
  await world.pass(SECOND_MS);
  assert.deepEqual(world.offered, [tcpAddress(PEER)]);
  assert.deepEqual(
    source.status().map(({ name, tier, state }) => [name, tier, state]),
    [
      ["http://a.example", 0, "announcing"],
      ["http://b.example", 1, "working"],
    ],
  );
  await world.leave(handle);
  assert.deepEqual(world.events(A), ["started", "stopped"]);
});

test("VT-5: the next tracker of a tier is asked at once, and stays first", async () => {
  const world = new ScriptedTrackers();
  const trackers = [A, B];
  for (const tracker of trackers) {
    world.answers.set(tracker, () => (tracker === world.heard[0]!.tracker ? "down" : reply()));
  }
  world.attach([trackers]);
  await world.pass(20 * MINUTE_MS);
  const [dead, alive] = world.heard.map(({ tracker }) => tracker);
  assert.deepEqual(world.events(dead!), ["started"]);
  assert.ok(world.events(alive!).length > 3);
});

test("BEP 27: a private torrent asks one tracker at a time, tier after tier", async () => {
  const world = new ScriptedTrackers();
  world.swarm.isPrivate = true;
  world.answers.set(A, () => reply());
  world.answers.set(B, () => reply());
  world.attach([[A], [B]]);
  await world.pass(MINUTE_MS);
  assert.deepEqual([world.events(A), world.events(B)], [["started"], []]);
  world.answers.set(A, () => "down");
  await world.pass(5 * MINUTE_MS);
  assert.deepEqual(world.events(B), ["started"]);
});

test("failures are described without a passkey, and retried with growing pauses", async () => {
  const world = new ScriptedTrackers();
  world.answers.set(B, () => encodeFailure("unregistered torrent"));
  const { source } = world.attach([[B]]);
  await world.pass(SECOND_MS);
  const [status] = source.status();
  assert.equal(status!.state, "failing");
  assert.equal(status!.message, "unregistered torrent");
  assert.doesNotMatch(JSON.stringify(status), /k3y/);
  await world.pass(5 * MINUTE_MS);
  assert.equal(world.heard.length, 4); // at 0 s, 30 s, 90 s, 210 s
  assert.deepEqual(world.events(B), ["started", "started", "started", "started"]);
});

test("BEP 31: a tracker that answers never is not asked again", async () => {
  const world = new ScriptedTrackers();
  world.answers.set(A, () => encodeFailure("gone", "never"));
  world.answers.set(B, () => "down");
  const { source } = world.attach([[A], [B]]);
  await world.pass(10 * MINUTE_MS);
  assert.equal(world.events(A).length, 1);
  assert.ok(world.events(B).length > 3);
  assert.equal(source.status()[0]!.nextAnnounceInMs, undefined);
});

test("TRK-19: a web page and an HTTP error status are not answers", async () => {
  const world = new ScriptedTrackers();
  world.answers.set(A, () => fromLatin1("<html>sign in</html>"));
  const { source } = world.attach([[A]]);
  await world.pass(SECOND_MS);
  assert.match(source.status()[0]!.message!, /web page/);
});

test("goodbyes take two seconds at most", async () => {
  const world = new ScriptedTrackers();
  world.answers.set(A, ({ event }) => (event === "stopped" ? "silent" : reply()));
  const { handle } = world.attach([[A]]);
  await world.pass(SECOND_MS);
  let gone = false;
  const leaving = handle.detach().then(() => (gone = true));
  await world.pass(1_900);
  assert.equal(gone, false);
  await world.pass(200);
  assert.equal(gone, true);
  await leaving;
});

test("stopped while the first announce is under way: the tracker receives stopped after it", async () => {
  const world = new ScriptedTrackers();
  world.swarm.infohashes = { v1: new Uint8Array(20).fill(1), v2: new Uint8Array(32).fill(2) };
  world.answers.set(A, ({ event }) => (event === "stopped" ? reply() : "silent"));
  const { handle } = world.attach([[A]]);
  await world.pass(SECOND_MS);
  assert.deepEqual(world.events(A), ["started", "started"]);
  await world.leave(handle);
  assert.deepEqual(world.events(A), ["started", "started", "stopped", "stopped"]);
});

test("BEP 27: a tracker that is left and rejoined receives stopped before started", async () => {
  const world = new ScriptedTrackers();
  world.answers.set(A, ({ event }) => (event === "stopped" ? reply() : "silent"));
  const { handle } = world.attach([[A], [B]]);
  await world.pass(SECOND_MS);
  world.swarm.isPrivate = true;
  handle.handleMetadata();
  await world.pass(SECOND_MS);
  assert.deepEqual(world.events(A), ["started", "stopped", "started"]);
});

test("an unreachable tracker gets no goodbye, and delays nothing", async () => {
  const world = new ScriptedTrackers();
  const { handle } = world.attach([[A]]);
  await world.pass(SECOND_MS);
  await handle.detach();
  assert.deepEqual(world.events(A), ["started"]);
});

test("silent HTTP trackers do not delay UDP trackers", async () => {
  const world = new ScriptedTrackers();
  world.answers.set(A, () => "silent");
  for (let torrent = 0; torrent < 60; torrent += 1) world.attach([[A]]);
  await world.pass(SECOND_MS);
  const { source } = world.attach([["udp://c.example:80"]]);
  await world.pass(SECOND_MS);
  assert.equal(source.status()[0]!.message, "nobody asked for UDP");
});

test("50 announces at a time over HTTP, and the others wait their turn", async () => {
  const world = new ScriptedTrackers();
  let open = false;
  world.answers.set(A, () => (open ? reply() : "silent"));
  const first = Array.from({ length: 60 }, () => world.attach([[A]]));
  await world.pass(SECOND_MS);
  assert.equal(world.heard.length, 50);
  open = true;
  await Promise.all(first.slice(0, 5).map(({ handle }) => handle.detach()));
  await world.pass(SECOND_MS);
  assert.equal(world.underWayMax, 50);
  assert.equal(world.heard.length, 65, "60 announces and five goodbyes");
  // Announces in line leave it when their torrent stops.
  await Promise.all(first.slice(5).map(({ handle }) => handle.detach()));
  await world.pass(SECOND_MS);
  assert.equal(world.underWay, 0);
});

test("a torrent with a hundred silent trackers delays neither the announces nor the goodbyes of others", async () => {
  const world = new ScriptedTrackers();
  world.answers.set(A, () => reply());
  const silent = Array.from({ length: 100 }, (_, n) => `http://s${n}.example/announce`);
  for (const url of silent) world.answers.set(url, () => "silent");
  const early = world.attach([[A]]);
  await world.pass(SECOND_MS);
  world.attach(silent.map((url) => [url]));
  await world.pass(SECOND_MS);
  const late = world.attach([[A]]);
  await world.pass(SECOND_MS);
  assert.equal(late.source.status()[0]!.state, "working");
  await world.leave(early.handle);
  assert.deepEqual(world.events(A), ["started", "started", "stopped"]);
});
