import assert from "node:assert/strict";
import { test } from "node:test";
import { formatAddress } from "../base/endpoint.ts";
import { seededRandom } from "../sim/seeded-random.ts";
import type { Contact } from "./contact.ts";
import { compareDistance, randomIdNear, sharedBits } from "./node-id.ts";
import { GOOD_MS, RoutingTable } from "./routing-table.ts";
import { makeSecureId } from "./secure-id.ts";

const random = seededRandom(11);
const OWN = random.bytes(20);

/** A contact of a network of its own, which shares exactly `bits` with us. */
function contactAt(bits: number, address = worldAddress()): Contact {
  const id = randomIdNear(OWN, bits, { random, orMore: false });
  return { id, endpoint: { address, port: 6881 } };
}

function worldAddress(): string {
  const bytes = random.bytes(4);
  bytes[0] = 11 + (bytes[0]! % 80);
  return formatAddress(bytes);
}

test("ids: shared bits, and distances in order", () => {
  for (const bits of [0, 1, 7, 8, 9, 100, 159]) {
    assert.equal(sharedBits(OWN, randomIdNear(OWN, bits, { random, orMore: false })), bits);
    assert.ok(sharedBits(OWN, randomIdNear(OWN, bits, { random, orMore: true })) >= bits);
  }
  assert.equal(sharedBits(OWN, OWN), 160);
});

test("near buckets are small and deep, far ones large; the closest are those of all that are there", () => {
  const table = new RoutingTable(OWN);
  for (let i = 0; i < 3000; i += 1) {
    table.handleAnswer({ id: random.bytes(20), endpoint: { address: worldAddress(), port: 1 } }, 0);
  }
  for (let bits = 0; bits < 40; bits += 1) {
    for (let i = 0; i < 20; i += 1) table.handleAnswer(contactAt(bits), 0);
  }
  const { buckets, replacements } = table.counts(0);
  assert.ok(buckets > 30, `${buckets} buckets`);
  assert.ok(table.size <= 128 + 64 + 32 + 16 + 8 * buckets, `${table.size} nodes`);
  assert.ok(replacements > 0 && replacements <= 8 * buckets);
  const all = [...table.nodes()];
  for (let i = 0; i < 50; i += 1) {
    const target = i < 25 ? random.bytes(20) : randomIdNear(OWN, i, { random, orMore: true });
    const sorted = all.toSorted((a, b) => compareDistance(target, a.contact.id, b.contact.id));
    assert.deepEqual(table.closest(target, 8), sorted.slice(0, 8));
  }
});

test("a node is good for 15 minutes, then questionable; bad after two silences, and replaced then", () => {
  const table = new RoutingTable(OWN);
  const first = contactAt(0);
  table.handleAnswer(first, 0);
  assert.equal(table.counts(GOOD_MS - 1).good, 1);
  assert.equal(table.counts(GOOD_MS).questionable, 1);
  assert.deepEqual(table.mostSilent(GOOD_MS)?.contact, first);
  table.handleQuery(first, GOOD_MS);
  assert.equal(table.counts(GOOD_MS).good, 1, "it answered once and asks us now");
  for (let i = 1; i < 128; i += 1) table.handleAnswer(contactAt(0), GOOD_MS);
  for (let i = 0; i < 20; i += 1) table.handleAnswer(contactAt(1), GOOD_MS);
  const waiting = contactAt(0);
  assert.equal(table.handleAnswer(waiting, GOOD_MS), false, "its bucket is full");
  table.handleSilence(first.endpoint);
  assert.equal(table.counts(GOOD_MS).bad, 0);
  table.handleSilence(first.endpoint);
  const hosts = [...table.nodes()].map(({ contact }) => contact.endpoint.address);
  assert.ok(hosts.includes(waiting.endpoint.address), "the substitute is in");
  assert.ok(!hosts.includes(first.endpoint.address));
});

test("DHT-6: bad nodes stay while nobody takes their place, for a machine that was offline", () => {
  const table = new RoutingTable(OWN);
  const only = contactAt(3);
  table.handleAnswer(only, 0);
  for (let i = 0; i < 5; i += 1) table.handleSilence(only.endpoint);
  assert.deepEqual(table.closest(OWN, 8), []);
  assert.deepEqual(
    table.closest(OWN, 8, { bad: true }).map(({ contact }) => contact),
    [only],
  );
});

test("DHT-3: one node for each address, two of a network in a bucket", () => {
  const table = new RoutingTable(OWN);
  assert.ok(table.handleAnswer(contactAt(0, "11.1.1.1"), 0));
  const other = { ...contactAt(0, "11.1.1.1"), endpoint: { address: "11.1.1.1", port: 7 } };
  assert.equal(table.handleAnswer(other, 0), false, "another port of one address");
  assert.ok(table.handleAnswer(contactAt(0, "11.1.1.2"), 0));
  assert.equal(table.handleAnswer(contactAt(0, "11.1.1.3"), 0), false, "a third of 11.1.1.0/24");
  assert.equal(table.wants(contactAt(0, "11.1.1.4")), false);
  assert.ok(table.wants(contactAt(0, "11.1.2.1")));
});

test("DHT-3: a node that comes back with another id loses the old one; one with ours is refused", () => {
  const table = new RoutingTable(OWN);
  table.handleAnswer(contactAt(0, "11.1.1.1"), 0);
  const again = contactAt(5, "11.1.1.1");
  assert.ok(table.handleAnswer(again, 1));
  assert.deepEqual(
    [...table.nodes()].map(({ contact }) => contact),
    [again],
  );
  assert.equal(
    table.handleAnswer({ id: OWN, endpoint: { address: "12.1.1.1", port: 1 } }, 1),
    false,
  );
});

test("DHT-3: nodes whose ids fit their addresses come before others (BEP 42)", () => {
  const table = new RoutingTable(OWN);
  for (let i = 0; i < 128; i += 1) table.handleAnswer(contactAt(0), 0);
  for (let i = 0; i < 10; i += 1) table.handleAnswer(contactAt(1), 0);
  let added = 0;
  for (let i = 0; i < 400 && added < 20; i += 1) {
    const address = worldAddress();
    const id = makeSecureId(Uint8Array.from(address.split("."), Number), random);
    if (sharedBits(OWN, id) !== 0) continue;
    if (table.handleAnswer({ id, endpoint: { address, port: 1 } }, 0)) added += 1;
  }
  assert.equal(added, 20);
  assert.equal([...table.nodes()].filter(({ isSecure }) => isSecure).length, 20);
});

test("DHT-3: half of the nodes that a reply names have ids that fit, when there are so many", () => {
  const table = new RoutingTable(OWN);
  const target = randomIdNear(OWN, 0, { random, orMore: false });
  for (let i = 0; i < 20; i += 1) {
    const id = randomIdNear(target, 60, { random, orMore: true });
    table.handleAnswer({ id, endpoint: { address: worldAddress(), port: 1 } }, 0);
  }
  assert.equal(table.closestMixed(target, 8).length, 8);
  for (let i = 0; i < 20; i += 1) {
    const address = worldAddress();
    const id = makeSecureId(Uint8Array.from(address.split("."), Number), random);
    table.handleAnswer({ id, endpoint: { address, port: 1 } }, 0);
  }
  const mixed = table.closestMixed(target, 8);
  const expected = [...table.closest(target, 4), ...table.closest(target, 4, { secureOnly: true })];
  assert.deepEqual(mixed, expected);
});

test("on this machine every port is a node of its own", () => {
  const table = new RoutingTable(OWN);
  for (let port = 1; port <= 20; port += 1) {
    const id = randomIdNear(OWN, 0, { random, orMore: false });
    assert.ok(table.handleAnswer({ id, endpoint: { address: "127.0.0.1", port } }, 0));
  }
});

test("a table that moves to another id keeps its nodes", () => {
  const table = new RoutingTable(OWN);
  for (let i = 0; i < 50; i += 1) table.handleAnswer(contactAt(0), 5);
  const moved = table.movedTo(random.bytes(20));
  assert.equal(moved.size, 50);
  assert.ok([...moved.nodes()].every(({ lastSeenMs }) => lastSeenMs === 5));
});
