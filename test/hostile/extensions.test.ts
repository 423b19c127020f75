import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { until } from "../fixtures/until.ts";
import { wireInfohashes } from "../../src/base/infohash.ts";
import { dictOf, encode } from "../../src/bencode/encode.ts";
import { encodeHandshake, HANDSHAKE_BYTES } from "../../src/wire/handshake.ts";
import { MESSAGE } from "../../src/wire/message-id.ts";
import { dial, frames, listenAs, openSocket, type RawPeer } from "./raw-peer.ts";
import { assertSame, leech, makeTorrent, PIECE, startEngine, startSeed } from "./world.ts";

const OPTIONS = { timeout: 30_000 };
/** Ids that the engine gave its extensions, in the order in which it offers them. */
const UT_METADATA = 1;
const DONTHAVE = 2;

function hello(names: Readonly<Record<string, number>>): Uint8Array {
  return frames.extended(0, encode(dictOf({ m: new Map(Object.entries(names)) })));
}

for (const isPrivate of [true, false]) {
  test(`MET-19: a stranger asks for the info, private ${isPrivate}`, OPTIONS, async (t) => {
    const made = await makeTorrent(t, { files: PIECE, private: isPrivate });
    const { endpoint } = await startSeed(t, made);
    const request = encode(dictOf({ msg_type: 0, piece: 0 }));
    const offer = Promise.withResolvers<string>();
    const answer = Promise.withResolvers<string>();
    dial(t, endpoint, {
      infohash: made.infohash,
      flags: { extended: true },
      ready: (peer) => peer.send(hello({ ut_metadata: 9 }), frames.extended(UT_METADATA, request)),
      extended: (_peer, id, payload) =>
        (id === 9 ? answer : offer).resolve(Buffer.from(payload).toString("latin1")),
    });
    assert.equal((await offer.promise).includes("metadata_size"), !isPrivate);
    const expected = isPrivate ? "8:msg_typei2e" : "8:msg_typei1e";
    assert.ok((await answer.promise).includes(expected));
  });
}

for (const [asked, speaksV2, answered] of [
  ["v1", false, "v1"],
  ["v1", true, "v2"],
  ["v2", true, "v2"],
] as const) {
  const what = speaksV2 ? "speaks v2 too" : "does not speak v2";
  test(
    `BEP 52: who asks for ${asked} of a hybrid and ${what} is answered with ${answered}`,
    OPTIONS,
    async (t) => {
      const made = await makeTorrent(t, { files: PIECE, kind: "hybrid" });
      const { endpoint } = await startSeed(t, made);
      const [v1, v2] = wireInfohashes(made.metainfo.info.infohashes);
      const socket = openSocket(t, endpoint);
      const peerId = Buffer.alloc(20, "x");
      const flags = { extended: true, fast: true, dht: false, v2: speaksV2 };
      socket.write(encodeHandshake({ ...flags, infohash: asked === "v1" ? v1! : v2!, peerId }));
      let answer = Buffer.alloc(0);
      while (answer.length < HANDSHAKE_BYTES) {
        const [chunk] = (await once(socket, "data")) as [Buffer];
        answer = Buffer.concat([answer, chunk]);
      }
      const infohash = new Uint8Array(answer.subarray(28, 48));
      assert.deepEqual(infohash, new Uint8Array(answered === "v1" ? v1! : v2!));
    },
  );
}

test(
  "BEP 54: a retracted piece is requested from another peer; one out of range ends the connection",
  OPTIONS,
  async (t) => {
    const made = await makeTorrent(t, { files: 4 * PIECE });
    const engine = await startEngine(t);
    const asked: number[] = [];
    const fickle = await listenAs(
      t,
      {
        infohash: made.infohash,
        flags: { extended: true },
        ready: (peer) => {
          peer.send(frames.signal(MESSAGE.haveAll));
          for (const piece of [0, 1]) {
            peer.send(frames.extended(DONTHAVE, Buffer.from([0, 0, 0, piece])));
          }
          peer.send(frames.signal(MESSAGE.unchoke));
        },
        request: (_peer, piece) => asked.push(piece),
      },
      "127.0.0.5",
    );
    const download = leech(t, engine, made, { peers: [fickle] });
    await until("somebody was asked", () => asked.length > 0);
    assert.ok(asked.every((piece) => piece > 1));
    await dial(t, engine.endpoint, {
      infohash: made.infohash,
      flags: { extended: true },
      ready: (peer: RawPeer) => peer.send(frames.extended(DONTHAVE, Buffer.from([0, 0, 0, 4]))),
    }).closed;
    const seeder = await startSeed(t, made);
    download.torrent.addPeers([seeder.address]);
    await download.when("complete");
    assertSame(made, download.root);
  },
);

const BROKEN: readonly [string, Uint8Array][] = [
  ["no bencode", Buffer.from("hello")],
  ["a bencode bomb", Buffer.from("l".repeat(50_000))],
  ["no dictionary", Buffer.from("le")],
  ["half a megabyte", encode(dictOf({ v: "x".repeat(500_000) }))],
];
for (const [name, payload] of BROKEN) {
  test(`WIR-9: an extension handshake that is ${name} ends the connection`, OPTIONS, async (t) => {
    const made = await makeTorrent(t, { files: PIECE });
    const { endpoint } = await startSeed(t, made);
    await dial(t, endpoint, {
      infohash: made.infohash,
      flags: { extended: true },
      ready: (peer) => peer.send(frames.extended(0, payload)),
    }).closed;
  });
}
