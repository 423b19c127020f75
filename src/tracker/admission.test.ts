import assert from "node:assert/strict";
import { test } from "node:test";
import type { Credential } from "../announce/credential.ts";
import { encodeUdpAnnounce, encodeUdpScrape } from "../announce/udp-request.ts";
import { readUint32 } from "../base/bytes.ts";
import { parseEndpoint } from "../base/endpoint.ts";
import {
  HASH,
  numberAt,
  PEER_ID,
  TORRENT,
  trackerWorld,
  type WorldOptions,
} from "../../test/tracker/tracker-world.ts";
import { type AdmissionQuestion, RegisteredAdmission } from "./admission.ts";
import { credentialDigest, Keyring } from "./keyring.ts";
import type { KnownPrincipal } from "./principal.ts";

const PASSKEY: Credential = { kind: "passkey", text: "annasPasskey0123456789" };
const DEVICE: Credential = { kind: "device", text: "annasLaptop-0123456789" };
const ANNA: KnownPrincipal = { kind: "member", id: "anna" };
const LAPTOP: KnownPrincipal = { kind: "device", id: "laptop" };
const REST = `info_hash=${HASH}&peer_id=${PEER_ID}&port=6881&uploaded=0&downloaded=0&left=1&compact=1`;

/** Admits members and devices only, as a private tracker does. */
class MembersAdmission extends RegisteredAdmission {
  readonly asked: AdmissionQuestion[] = [];

  override judge(question: AdmissionQuestion) {
    this.asked.push({ ...question, infohash: question.infohash.slice() });
    if (question.principal.kind === "nobody") return { reason: "this torrent is for members" };
    return super.judge(question);
  }
}

function privateWorld(options: Partial<WorldOptions> = {}) {
  const keyring = new Keyring();
  keyring.set(credentialDigest(PASSKEY), ANNA);
  keyring.set(credentialDigest(DEVICE), LAPTOP);
  const admission = new MembersAdmission(keyring);
  return { keyring, admission, ...trackerWorld({ keyring, admission, ...options }) };
}

const ways: readonly (readonly [target: string, principal: KnownPrincipal])[] = [
  [`/${PASSKEY.text}/announce?${REST}`, ANNA],
  [`/announce/${PASSKEY.text}?${REST}`, ANNA],
  [`/announce?${REST}&passkey=${PASSKEY.text}`, ANNA],
  [`/device/${DEVICE.text}/announce?${REST}`, LAPTOP],
  [`/announce?device=${DEVICE.text}&${REST}`, LAPTOP],
];

for (const [target, principal] of ways) {
  test(`TRK-13: ${target.replace(/\?info_hash.*&compact=1/, "?")} is ${principal.id}, who is admitted`, () => {
    const world = privateWorld();
    assert.equal(numberAt(world.get(target), "incomplete"), 1);
    assert.deepEqual(
      world.admission.asked,
      [
        {
          act: "announce",
          principal,
          infohash: TORRENT.v1,
          standing: "registered",
          address: Uint8Array.of(198, 51, 100, 7),
          peerId: Buffer.from(PEER_ID),
        },
      ].map((question) => ({ ...question, peerId: new Uint8Array(question.peerId) })),
    );
    const scrape = target.replace("announce", "scrape");
    assert.equal(numberAt(world.get(scrape), "incomplete"), 1, "and may scrape");
  });
}

test("TRK-13: BEP 41 says the same over UDP; a scrape there has no field for it and reveals nothing", () => {
  const world = privateWorld();
  const from = parseEndpoint("198.51.100.7:7000")!;
  const hello = world.udp.answer(Buffer.from("00000417271019800000000001020304", "hex"), from)!;
  const id = [readUint32(hello, 8), readUint32(hello, 12)] as const;
  const announce = {
    infohash: TORRENT.v1!,
    peerId: new Uint8Array(20).fill(65),
    port: 1,
    uploaded: 0,
    downloaded: 0,
    left: 1,
    event: "none" as const,
    numwant: 5,
    key: 1,
  };
  const ask = (trackerUrl: string): Buffer =>
    Buffer.from(world.udp.answer(encodeUdpAnnounce(id, 7, { announce, trackerUrl }), from) ?? []);
  for (const url of [
    `udp://t/${PASSKEY.text}/announce`,
    `udp://t/announce?a=${"x".repeat(400)}&passkey=${PASSKEY.text}`,
    `udp://t/announce?device=${DEVICE.text}`,
  ]) {
    assert.equal(ask(url).readUInt32BE(0), 1, url);
  }
  assert.match(ask("udp://t/announce").toString("latin1", 8), /^this torrent is for members/);
  assert.match(
    ask(`udp://t/${"x".repeat(22)}/announce`).toString("latin1", 8),
    /^this passkey is not/,
  );
  assert.match(ask(`udp://t/${"x".repeat(3_000)}`).toString("latin1", 8), /^the URL is longer/);
  const counts = world.udp.answer(encodeUdpScrape(id, 8, [TORRENT.v1!]), from)!;
  assert.deepEqual(
    [...counts.subarray(8)],
    Array.from({ length: 12 }, () => 0),
  );
});

test("TRK-13: a request without a credential, or with an unknown one, is refused in words, and nothing is stored", () => {
  const world = privateWorld();
  const unknown = "x".repeat(22);
  for (const [target, status, reason] of [
    [`/announce?${REST}`, 200, /this torrent is for members/],
    [`/${unknown}/announce?${REST}`, 200, /passkey is not known here: sign in/],
    [`/announce?${REST}&passkey=tooShort`, 200, /passkey is not known here/],
    [`/${PASSKEY.text}/announce?${REST}&passkey=${unknown}`, 200, /passkey is not known here/],
    // A passkey is no device's credential.
    [`/announce?${REST}&device=${PASSKEY.text}`, 403, /device is not known here/],
    [`/scrape?info_hash=${HASH}&device=${unknown}`, 403, /device is not known here/],
  ] as const) {
    const asker = { address: Uint8Array.of(198, 51, 100, 7), local: undefined };
    const reply = world.http.answer(target, asker);
    assert.equal(reply.status, status, target);
    const body = Buffer.from(reply.body).toString("latin1");
    assert.match(body, /^d14:failure reason\d+:[^]*e$/);
    assert.match(body, reason, target);
    assert.doesNotMatch(`${body} ${reply.refusal}`, /xxxxx|annas/);
  }
  assert.doesNotMatch(world.get(`/scrape?info_hash=${HASH}`), /complete/);
  assert.equal(world.swarms.peerCount, 0);
  assert.equal(world.swarms.swarmCount, 0, "and no swarm was opened for it");
});

test("TRK-13: a revoked passkey is treated like one that never existed; others stay", () => {
  const world = privateWorld();
  const [[anna], , , [laptop]] = ways as unknown as [[string], unknown, unknown, [string]];
  assert.doesNotMatch(world.get(anna), /failure/);
  world.keyring.delete(credentialDigest(PASSKEY));
  const never = world.get(anna.replace(PASSKEY.text, "x".repeat(22)));
  assert.equal(world.get(anna), never);
  assert.doesNotMatch(world.get(laptop), /failure/);
});

test("a full scrape leaves out torrents that are not for everybody", () => {
  const world = privateWorld({ fullScrape: true });
  world.get(ways[0]![0]);
  assert.doesNotMatch(world.get("/scrape"), /8:complete/);
  const [nobody] = world.admission.asked.slice(-1);
  assert.deepEqual([nobody?.act, nobody?.principal.kind], ["scrape", "nobody"]);
});

test("TRK-20: admission learns a torrent's standing: registered, fetched, or unknown", () => {
  const other = new Uint8Array(20).fill(0xbb);
  const world = privateWorld();
  const ask = (hash: string) => world.get(`/${PASSKEY.text}/announce?${REST.replace(HASH, hash)}`);
  const [registered, unregistered] = [HASH, "%bb".repeat(20)];
  assert.match(ask(unregistered), /not registered here/);
  world.tracker.setFetched(other, true);
  assert.doesNotMatch(ask(unregistered), /failure/);
  world.tracker.setFetched(other, false);
  assert.match(ask(unregistered), /not registered here/, "even with peers in its swarm");
  world.tracker.register({ v1: other });
  assert.doesNotMatch(ask(unregistered), /failure/);
  for (let times = 0; times < 2; times += 1) assert.doesNotMatch(ask(registered), /failure/);
  assert.deepEqual(
    world.admission.asked.map(({ standing }) => standing),
    ["unknown", "fetched", "unknown", "registered", "registered", "registered"],
  );
});
