import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { sql } from "kysely";
import type { TorrentDetail } from "../../src/api/torrents.ts";
import type { TorrentVersion, VersionInput } from "../../src/api/versions.ts";
import { encodeUtf8, fromHex, toHex } from "../../src/base/bytes.ts";
import type { Infohashes } from "../../src/base/infohash.ts";
import { dictOf, encode } from "../../src/bencode/encode.ts";
import { NO_SALT, signItem } from "../../src/dht/item.ts";
import { encodePointer } from "../../src/dht/mutable-torrent.ts";
import { NodeSignatures } from "../../src/platform/node-signatures.ts";
import { TorrentVersions } from "../../src/publish/torrent-versions.ts";
import { HOST, hubWorld, PASSWORD } from "./hub-world.ts";

const signatures = new NodeSignatures();
const KEY = signatures.keyFromSeed(new Uint8Array(32).fill(3));
const OTHER_KEY = signatures.keyFromSeed(new Uint8Array(32).fill(4));
const CONTENTS = { a: new Uint8Array([1]), b: new Uint8Array([2]) };

interface Signing {
  readonly value?: Uint8Array;
  readonly salt?: Uint8Array;
  readonly key?: typeof KEY;
}

function signed(infohashes: Infohashes, sequence: bigint, how: Signing = {}): VersionInput {
  const { value = encodePointer(infohashes), salt = NO_SALT, key = KEY } = how;
  const item = signItem(key, { value, salt, sequence });
  return {
    publicKey: toHex(item.publicKey),
    salt: toHex(salt),
    sequence: sequence.toString(),
    value: toHex(value),
    signature: toHex(item.signature),
  };
}

async function world(t: TestContext) {
  const made = await hubWorld(t);
  const headers = await made.program();
  const detail = async (id: string): Promise<TorrentDetail> =>
    (await (await made.call(`/api/v1/torrents/${id}`)).json()) as TorrentDetail;
  const infohashesOf = async (id: string): Promise<Infohashes> => {
    const { infohashV1, infohashV2 } = await detail(id);
    return { v1: fromHex(infohashV1 ?? "none"), v2: fromHex(infohashV2 ?? "none") };
  };
  const hand = async (id: string, json: unknown, as = headers) => {
    const response = await made.call(`/api/v1/torrents/${id}/version`, { headers: as, json });
    const body = (await response.json()) as TorrentDetail & { error?: { message: string } };
    return { status: response.status, versions: body.versions, message: body.error?.message ?? "" };
  };
  return { ...made, headers, detail, infohashesOf, hand };
}

test("BEP 46: a signed version is kept, a newer one takes its place, and the older page leads to it", async (t) => {
  const all = await world(t);
  const first = await all.publish(CONTENTS);
  const second = await all.publish({ ...CONTENTS, c: new Uint8Array([3]) }, { kind: "hybrid" });
  assert.deepEqual((await all.detail(first)).versions, []);
  const one = signed(await all.infohashesOf(first), 100n);
  const handed = await all.hand(first, one);
  assert.equal(handed.status, 200, handed.message);
  const link = `magnet:?xs=urn:btpk:${toHex(KEY.publicKey)}`;
  const version: TorrentVersion = {
    publicKey: toHex(KEY.publicKey),
    salt: "",
    sequence: "100",
    link,
    state: "waits",
    storedAt: null,
    nodes: 0,
    newerUrl: null,
  };
  assert.deepEqual(handed.versions, [version]);
  all.keptItems.status = { storedMs: Date.UTC(2026, 10, 2), nodes: 8, newer: undefined };
  const kept = { ...version, state: "kept", storedAt: "2026-11-02T00:00:00Z", nodes: 8 };
  assert.deepEqual((await all.detail(first)).versions, [kept]);
  assert.equal((await all.hand(first, one)).status, 200, "once more does no harm");

  const newer = await all.hand(second, signed(await all.infohashesOf(second), 2n ** 63n - 1n));
  assert.equal(newer.status, 200, newer.message);
  assert.equal(newer.versions[0]!.sequence, (2n ** 63n - 1n).toString());
  assert.deepEqual(all.keptItems.sequences, [2n ** 63n - 1n]);
  const newerUrl = (await all.detail(second)).pageUrl;
  assert.deepEqual((await all.detail(first)).versions, [{ ...version, state: "older", newerUrl }]);

  const late = await all.hand(first, signed(await all.infohashesOf(first), 101n));
  assert.equal(late.status, 409);
  assert.match(late.message, /has the sequence number 9223372036854775807, and this one 101\./);
  // Another publication of the same key.
  const salted = signed(await all.infohashesOf(first), 5n, { salt: encodeUtf8("slides") });
  const both = await all.hand(first, salted);
  assert.deepEqual(
    both.versions.map(({ sequence }) => sequence),
    ["100", "5"],
  );
  assert.equal(both.versions[1]!.link, `${link}&s=${toHex(encodeUtf8("slides"))}`);
});

test("BEP 46: others published a newer version elsewhere, or the hub has no DHT: the torrent says so", async (t) => {
  const all = await world(t);
  const id = await all.publish(CONTENTS);
  await all.hand(id, signed(await all.infohashesOf(id), 100n));
  all.keptItems.status = { storedMs: 5, nodes: 8, newer: 101n };
  assert.partialDeepStrictEqual((await all.detail(id)).versions, [
    { state: "older", newerUrl: null },
  ]);
  all.keptItems.keeper = undefined;
  assert.partialDeepStrictEqual((await all.detail(id)).versions, [{ state: "off" }]);
});

test("BEP 46: the removal of a torrent ends its version, its way back revives it; so does a restart", async (t) => {
  const all = await world(t);
  const { headers, call, keptItems } = all;
  const first = await all.publish(CONTENTS);
  const second = await all.publish({ c: new Uint8Array([3]) });
  await all.hand(first, signed(await all.infohashesOf(first), 1n));
  await all.hand(second, signed(await all.infohashesOf(second), 2n));
  const restarted = async (): Promise<bigint[]> => {
    const kept: bigint[] = [];
    const keeper = { keep: kept.push.bind(kept), drop: () => undefined, statusOf: () => undefined };
    const versions = new TorrentVersions({
      versions: all.store.torrentVersions,
      torrents: all.store.torrents,
      signatures,
      keeper: () => ({ ...keeper, keep: ({ sequence }) => void kept.push(sequence) }),
    });
    await versions.start();
    return kept;
  };
  assert.deepEqual([keptItems.sequences, await restarted()], [[2n], [2n]]);
  await call(`/api/v1/torrents/${second}`, { method: "DELETE", headers });
  // The older version is no newest one because of that.
  assert.deepEqual([keptItems.sequences, await restarted()], [[], []]);
  assert.partialDeepStrictEqual((await all.detail(first)).versions, [
    { state: "older", newerUrl: null },
  ]);
  const back = await all.hand(first, signed(await all.infohashesOf(first), 2n));
  assert.equal(back.status, 409, "nor can its number be taken again");
  await call(`/api/v1/torrents/${second}/restore`, { method: "POST", headers });
  assert.deepEqual([keptItems.sequences, await restarted()], [[2n], [2n]]);
});

test("BEP 46: hostile bodies, forged items and torrents of others are refused in words", async (t) => {
  const all = await world(t);
  const { hand } = all;
  const id = await all.publish(CONTENTS);
  const other = await all.publish({ c: new Uint8Array([3]) });
  const secret = await all.publish({ d: new Uint8Array([4]) }, { private: true });
  const infohashes = await all.infohashesOf(id);
  const good = signed(infohashes, 10n);
  const long = encode(dictOf({ ih: infohashes.v1, x: new Uint8Array(900) }));
  const tooLong = encode(dictOf({ ih: infohashes.v1, x: new Uint8Array(1000) }));
  const bent = {
    ...good,
    signature: good.signature.replace(/^../, (x) => (x === "00" ? "01" : "00")),
  };
  const refused: readonly (readonly [unknown, RegExp])[] = [
    [bent, /signature is not that of the key/],
    [{ ...good, sequence: "11" }, /signature is not that of the key/],
    [{ ...good, salt: "ab" }, /signature is not that of the key/],
    [{ ...good, publicKey: toHex(OTHER_KEY.publicKey) }, /signature is not that of the key/],
    // No point of the curve.
    [{ ...good, publicKey: "ff".repeat(32) }, /signature is not that of the key/],
    [{ ...good, publicKey: good.publicKey.slice(2) }, /publicKey/],
    [{ ...good, publicKey: `${good.publicKey.slice(1)}x` }, /publicKey.*hexadecimal/],
    [{ ...good, signature: good.signature.slice(2) }, /signature/],
    [{ ...good, salt: "ab".repeat(65) }, /salt/],
    [{ ...good, salt: "abc" }, /salt.*hexadecimal/],
    [{ ...good, sequence: "-1" }, /sequence.*no sequence number/],
    [{ ...good, sequence: "01" }, /sequence.*no sequence number/],
    [{ ...good, sequence: 10 }, /sequence/],
    [{ ...good, sequence: "9".repeat(19) }, /signature is not that of the key/],
    [{ ...good, value: toHex(tooLong) }, /value/],
    [{ ...good, value: "" }, /value/],
    [{ ...good, value: toHex(encodeUtf8("di1ei2e")) }, /has to be bencoded/],
    [{ ...good, secretKey: undefined, value: undefined }, /value/],
    [signed(infohashes, 10n, { value: encode("hello") }), /names another torrent, or none/],
    [signed({ v1: new Uint8Array(20) }, 10n), /names another torrent, or none/],
    [signed({ ...infohashes, v2: new Uint8Array(32) }, 10n), /names another torrent, or none/],
    [[], /expected object|body/i],
    ["x".repeat(9000), /too large|too long|most/i],
  ];
  for (const [json, words] of refused) {
    const { status, message } = await hand(id, json);
    assert.ok(status === 400 || status === 413, `${JSON.stringify(json)}: ${status}`);
    assert.match(message, words, JSON.stringify(json));
  }
  assert.match((await hand(other, good)).message, /names another torrent, or none/);
  const hidden = await hand(secret, signed(await all.infohashesOf(secret), 1n));
  assert.deepEqual(
    [hidden.status, hidden.message],
    [400, "A private torrent has no place in the DHT."],
  );
  assert.equal((await hand("nowhere", good)).status, 404);
  assert.equal((await hand(id, good, {})).status, 401);
  // Somebody else with an account, whose torrent it is not.
  await sql`insert into user (id, name, email, emailVerified, createdAt, updatedAt, username, role)
    select 'ben', 'ben', 'ben@hub.invalid', 1, createdAt, updatedAt, 'ben', 'user' from user`.execute(
    all.store.db,
  );
  await sql`insert into account (id, accountId, providerId, userId, password, createdAt, updatedAt)
    select 'ben', 'ben', providerId, 'ben', password, createdAt, updatedAt from account`.execute(
    all.store.db,
  );
  const session = await all.call("/api/v1/session", { json: { name: "ben", password: PASSWORD } });
  const cookie = session.headers.getSetCookie()[0]!.split(";")[0]!;
  assert.equal((await hand(id, good, { cookie, origin: `http://${HOST}` })).status, 403);
  assert.deepEqual(all.keptItems.sequences, [], "nothing of that is kept");

  // What others made is taken: more in the value, and v2 cut to 20 bytes.
  assert.equal((await hand(id, signed(infohashes, 10n, { value: long }))).status, 200);
  const hybrid = await all.publish({ e: new Uint8Array([5]) }, { kind: "v2" });
  const cut = { v1: (await all.infohashesOf(hybrid)).v2!.subarray(0, 20) };
  assert.equal((await hand(hybrid, signed(cut, 1n, { key: OTHER_KEY }))).status, 200);
});

test("a torrent is a version of sixteen publications at most", async (t) => {
  const all = await world(t);
  const id = await all.publish(CONTENTS);
  const infohashes = await all.infohashesOf(id);
  const handSalted = (index: number) =>
    all.hand(id, signed(infohashes, 1n, { salt: encodeUtf8(`${index}`) }));
  for (let index = 0; index < 16; index += 1) assert.equal((await handSalted(index)).status, 200);
  const { status, message } = await handSalted(16);
  assert.equal(status, 409);
  assert.match(message, /version of 16 publications already/);
  const renewed = signed(infohashes, 2n, { salt: encodeUtf8("3") });
  assert.equal((await all.hand(id, renewed)).status, 200, "those that are there go on");
});
