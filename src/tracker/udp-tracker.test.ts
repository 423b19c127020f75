import assert from "node:assert/strict";
import { test } from "node:test";
import { parseEndpoint } from "../base/endpoint.ts";
import { chance, trackerWorld } from "../../test/tracker/tracker-world.ts";

const PEER = parseEndpoint("198.51.100.7:7000")!;
const OTHER = parseEndpoint("198.51.100.8:7000")!;
const CONNECT = "000004172710198000000000" + "01020304";

const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, "hex"));
const hex = (packet: Uint8Array | undefined): string => Buffer.from(packet ?? []).toString("hex");

/**
 * An announce (BEP 15): id -EV0100-abcdefghijkl, left 1000, started, any number of peers, port
 * 6881.
 */
function announce(id: string, infohash = "aa", port = "1ae1"): Uint8Array {
  return bytes(
    `${id}0000000101020304${infohash.repeat(20)}2d4556303130302d6162636465666768696a6b6c` +
      "000000000000000000000000000003e80000000000000000" +
      `0000000200000000cafebabeffffffff${port}`,
  );
}

type World = ReturnType<typeof trackerWorld>;

function connect(world: World, from = PEER): string {
  const reply = hex(world.udp.answer(bytes(CONNECT), from));
  assert.match(reply, /^0000000001020304[0-9a-f]{16}$/);
  return reply.slice(16);
}

test("TRK-9: junk of every length gets no answer", () => {
  const world = trackerWorld();
  const random = chance(5);
  for (let length = 0; length < 200; length += 1) {
    assert.equal(world.udp.answer(random.bytes(length), PEER), undefined, `${length} bytes`);
    assert.equal(world.udp.answer(new Uint8Array(length), PEER), undefined, `${length} zeros`);
  }
  for (let length = 0; length < 16; length += 1) {
    assert.equal(world.udp.answer(bytes(CONNECT).subarray(0, length), PEER), undefined);
  }
});

test("TRK-8: a guessed, an old, or another's connection id gets silence", () => {
  const world = trackerWorld();
  const id = connect(world);
  assert.notEqual(connect(world, OTHER), id);
  assert.equal(world.udp.answer(announce(id), OTHER), undefined, "another address");
  assert.equal(world.udp.answer(announce(id), { ...PEER, port: 7001 }), undefined, "another port");
  assert.equal(world.udp.answer(announce("00".repeat(8)), PEER), undefined, "guessed");
  assert.equal(world.swarms.peerCount, 0);
  world.clock.pass(119);
  assert.ok(world.udp.answer(announce(id), PEER), "good for two minutes");
  world.clock.pass(70);
  assert.equal(world.udp.answer(announce(id), PEER), undefined, "old");
  world.clock.pass(256 * 60 - 189);
  assert.equal(world.udp.answer(announce(id), PEER), undefined, "when the minute counter wraps");
});

test("STO-8: a wall clock that jumps a day forward or back changes nothing", () => {
  const world = trackerWorld();
  const id = connect(world);
  const day = 86_400_000;
  for (const jumpMs of [day, -day, 0]) {
    world.clock.jumpMs = jumpMs;
    assert.ok(world.udp.answer(announce(id), PEER), "the connection id is good");
    world.clock.pass(1);
    assert.equal(world.swarms.peerCount, 1, "the peer does not count as silent");
  }
});

test("TRK-11: a storm from one address gets silence, others their answers", () => {
  const world = trackerWorld({ requestsPerSecondMax: 3 });
  const [id, other] = [connect(world), connect(world, OTHER)];
  const answers = Array.from({ length: 40 }, () => world.udp.answer(announce(id), PEER));
  assert.equal(answers.filter((answer) => answer).length, 30);
  assert.ok(world.udp.answer(announce(other), OTHER));
});

test("PUB-3.2: the reply to an announce names the everseed and other peers", () => {
  const world = trackerWorld();
  world.announce(9);
  const reply = hex(world.udp.answer(announce(connect(world)), PEER));
  const head = "00000001" + "01020304" + "000002d0" + "00000002" + "00000001";
  assert.equal(reply, `${head}0909090920e5${"c6336407"}0009`);
});

test("TRK-6: an answer is one datagram, in both families", () => {
  const world = trackerWorld();
  for (let port = 1; port <= 300; port += 1) {
    world.announce(port);
    world.announce(port, "", "2001:db8::7");
  }
  const six = parseEndpoint("[2001:db8::1]:7000")!;
  const many = (id: string): Uint8Array => bytes(hex(announce(id)).replace("ffffffff", "3fffffff"));
  assert.equal(world.udp.answer(many(connect(world)), PEER)?.length, 20 + 200 * 6);
  assert.equal(world.udp.answer(many(connect(world, six)), six)?.length, 20 + 67 * 18);
});

test("TRK-3, TRK-20: refusals are errors in words, and nothing is stored", () => {
  const world = trackerWorld();
  const id = connect(world);
  const wrong: [Uint8Array, RegExp][] = [
    [announce(id, "bb"), /not registered here/],
    [announce(id, "aa", "0000"), /port must be/],
    [announce(id).subarray(0, 97), /98 bytes/],
    [bytes(`${id}0000000901020304`), /unknown action/],
  ];
  for (const [packet, reason] of wrong) {
    const reply = Buffer.from(world.udp.answer(packet, PEER) ?? []);
    assert.equal(reply.toString("hex", 0, 8), "0000000301020304");
    assert.match(reply.toString("latin1", 8), reason);
  }
  assert.equal(world.swarms.peerCount, 0);
});

test("HUB-31: each packet that is refused or dropped is counted, with its address and the reason", () => {
  const world = trackerWorld({ requestsPerSecondMax: 1 });
  const id = connect(world);
  const { address } = PEER;
  assert.ok(world.udp.answer(announce(id), PEER));
  assert.deepEqual(world.faults, [], "an answered packet is no fault");
  const wrong: [packet: Uint8Array, fault: string, why?: string][] = [
    [bytes("00"), "bad-datagram"],
    [announce("00".repeat(8)), "bad-datagram"],
    [announce(id, "bb"), "bad-announce", "this torrent is not registered here"],
    [announce(id, "aa", "0000"), "bad-announce", "port must be a whole number from 1 to 65535"],
    [bytes(`${id}0000000901020304`), "bad-announce", "unknown action"],
    [announce(id).subarray(0, 97), "bad-announce", "an announce has 98 bytes or more"],
  ];
  for (const [packet, fault, why] of wrong) {
    world.udp.answer(packet, PEER);
    assert.deepEqual(world.faults.splice(0), [[fault, why ? { address, why } : { address }]]);
  }
  for (let count = 0; count < 20; count += 1) world.udp.answer(announce(id), PEER);
  assert.deepEqual(world.faults.pop(), [
    "bad-announce",
    { address, why: "too many requests from this address" },
  ]);
});

test("a scrape answers in the order asked, with zeros for untracked torrents", () => {
  const world = trackerWorld();
  world.announce(1);
  const packet = bytes(`${connect(world)}0000000201020304${"bb".repeat(20)}${"aa".repeat(20)}`);
  const reply = hex(world.udp.answer(packet, PEER));
  const ours = "00000001" + "00000000" + "00000001";
  assert.equal(reply, `0000000201020304${"0".repeat(24)}${ours}`);
});
