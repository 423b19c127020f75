import assert from "node:assert/strict";
import { test } from "node:test";
import { type Endpoint, formatEndpoint } from "../base/endpoint.ts";
import { seededRandom } from "../sim/seeded-random.ts";
import { Simulation } from "../sim/simulation.ts";
import { decodeBtSearch, encodeBtSearch, LSD_GROUPS } from "./bt-search.ts";
import { Lsd, type LsdOptions } from "./lsd.ts";

const MINUTE_MS = 60_000;

function infohash(number: number): Uint8Array {
  const bytes = new Uint8Array(20);
  new DataView(bytes.buffer).setUint32(0, number);
  return bytes;
}

/** A link on which all hear all, themselves included. */
class Link {
  readonly simulation = new Simulation();
  readonly #members: { readonly lsd: Lsd; readonly address: string }[] = [];
  /** When a packet was sent, to either group. */
  readonly sent: { readonly atMs: number; readonly address: string; readonly bytes: Uint8Array }[] =
    [];

  join(address: string, options: Partial<LsdOptions> = {}): Lsd {
    const lsd = new Lsd({
      clock: this.simulation,
      random: seededRandom(this.#members.length + 1),
      port: () => 6881,
      isNear: (from) => from.startsWith("10."),
      send: (bytes, group) => {
        if (group !== LSD_GROUPS[0]) return;
        this.sent.push({ atMs: this.simulation.nowMs(), address, bytes });
        for (const { lsd: each } of this.#members) each.receive(bytes, { address, port: 6771 });
      },
      ...options,
    });
    this.#members.push({ lsd, address });
    return lsd;
  }
}

/** Whom one was told of. */
function heardBy(lsd: Lsd, of: Uint8Array, isAnnounced = true): string[] {
  const heard: string[] = [];
  const search = lsd.search(of, (peer) => heard.push(formatEndpoint(peer)));
  if (isAnnounced) search.announce();
  return heard;
}

test("neighbours with the same torrent hear each other at once, and nobody itself", () => {
  const link = new Link();
  const [one, other, stranger] = ["10.0.0.1", "10.0.0.2", "10.0.0.3"].map((at) => link.join(at));
  const heardByOne = heardBy(one!, infohash(1));
  const heardByOther = heardBy(other!, infohash(1));
  const heardByStranger = heardBy(stranger!, infohash(2));
  link.simulation.runFor(1_000);
  assert.deepEqual(heardByOne, ["10.0.0.2:6881"]);
  assert.deepEqual(heardByOther, ["10.0.0.1:6881"]);
  assert.deepEqual(heardByStranger, []);
});

test("who may not be known of hears and is silent, until it may", () => {
  const link = new Link();
  const [quiet, loud] = [link.join("10.0.0.1"), link.join("10.0.0.2")];
  const heard: string[] = [];
  const search = quiet.search(infohash(1), (peer) => heard.push(formatEndpoint(peer)));
  const heardByLoud = heardBy(loud, infohash(1));
  link.simulation.runFor(10 * MINUTE_MS);
  assert.ok(heard.length > 0 && heardByLoud.length === 0);
  search.announce();
  link.simulation.runFor(1_000);
  assert.equal(heardByLoud.length, 1);
  search.end();
  const { length } = link.sent.filter(({ address }) => address === "10.0.0.1");
  link.simulation.runFor(20 * MINUTE_MS);
  assert.equal(link.sent.filter(({ address }) => address === "10.0.0.1").length, length);
});

test("many torrents share packets and take turns; a packet a minute in the long run", () => {
  const link = new Link();
  const lsd = link.join("10.0.0.1");
  for (let number = 0; number < 300; number += 1) heardBy(lsd, infohash(number));
  link.simulation.runFor(60 * MINUTE_MS);
  const times = link.sent.map(({ atMs }) => atMs);
  assert.ok(times.length <= 66, `${times.length} packets in an hour`);
  assert.ok(times.every((atMs, n) => n === 0 || atMs - times[n - 1]! >= 1_000));
  const counts = new Map<string, number>();
  for (const { bytes } of link.sent) {
    for (const each of decodeBtSearch(bytes)!.infohashes) {
      const key = Buffer.from(each).toString("hex");
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
  }
  assert.equal(counts.size, 300);
  const often = [...counts.values()];
  assert.ok(Math.max(...often) - Math.min(...often) <= 2, `${often.join(" ")} turns`);
});

test("one torrent is announced every five minutes", () => {
  const link = new Link();
  heardBy(link.join("10.0.0.1"), infohash(1));
  link.simulation.runFor(31 * MINUTE_MS);
  assert.equal(link.sent.length, 7);
});

const packet = (port: number, ...numbers: readonly number[]): Uint8Array =>
  encodeBtSearch({ port, infohashes: numbers.map(infohash), cookie: "x" }, LSD_GROUPS[0]!);

test("WIR-25: packets from outside our own networks are not heard", () => {
  const link = new Link();
  const lsd = link.join("10.0.0.1");
  const heard = heardBy(lsd, infohash(1));
  lsd.receive(packet(6881, 1), { address: "9.9.9.9", port: 6771 });
  assert.deepEqual(heard, []);
  lsd.receive(packet(6881, 1), { address: "10.0.0.9", port: 6771 });
  assert.deepEqual(heard, ["10.0.0.9:6881"]);
});

test("WIR-25: of a flood little is read, and neighbours are heard all the same", () => {
  const link = new Link();
  const lsd = link.join("10.0.0.1");
  const heard: Endpoint[] = [];
  lsd.search(infohash(1), (peer) => heard.push(peer));
  for (let n = 0; n < 20_000; n += 1) {
    lsd.receive(packet(1024 + (n % 60_000), 1), { address: "10.6.6.6", port: 6771 });
  }
  assert.ok(heard.length <= 50, `${heard.length} packets of one neighbour`);
  const before = heard.length;
  lsd.receive(packet(6881, 1), { address: "10.0.0.9", port: 6771 });
  assert.equal(heard.length, before + 1);
  // From addresses that are made up.
  for (let n = 0; n < 20_000; n += 1) {
    lsd.receive(packet(6881, 1), { address: `10.7.${n >> 8}.${n & 255}`, port: 6771 });
  }
  assert.ok(heard.length <= 501, `${heard.length} packets of all`);
  assert.equal(link.sent.length, 0, "nothing of that is answered");
});

test("WIR-25: infohashes that nobody searches are passed on a packet's worth at once, then slowly", () => {
  const link = new Link();
  let passedOn = 0;
  const lsd = link.join("10.0.0.1", { onUnknown: () => (passedOn += 1) });
  for (let n = 0; n < 50; n += 1) {
    lsd.receive(packet(6881, n * 2, n * 2 + 1), { address: "10.0.0.9", port: 6771 });
  }
  assert.equal(passedOn, 24);
  link.simulation.runFor(MINUTE_MS);
  for (let n = 50; n < 100; n += 1)
    lsd.receive(packet(6881, n), { address: "10.0.0.9", port: 6771 });
  assert.equal(passedOn, 36);
});
