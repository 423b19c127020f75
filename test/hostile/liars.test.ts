import assert from "node:assert/strict";
import { test } from "node:test";
import { until } from "../fixtures/until.ts";
import { dictOf, encode } from "../../src/bencode/encode.ts";
import { encodeHashes, encodeHashReject } from "../../src/wire/hash-transfer.ts";
import { MESSAGE } from "../../src/wire/message-id.ts";
import { dial, frames, listenAs, type RawPeer, type Script } from "./raw-peer.ts";
import {
  assertSame,
  bannedBy,
  leech,
  type Made,
  magnetOf,
  makeTorrent,
  startEngine,
  startSeed,
} from "./world.ts";

const MIB = 1024 * 1024;
const OPTIONS = { timeout: 60_000 };
const HONEST = "127.0.0.200";
const PIECE = 65_536;

/** Serves everything, with `spoiled` wrong blocks in each piece. */
function poisoner(made: Made, spoils: (piece: number, block: number) => boolean): Script {
  const space = made.bytes.get("content")!;
  return {
    infohash: made.infohash,
    ready: (peer) => peer.send(frames.signal(MESSAGE.haveAll), frames.signal(MESSAGE.unchoke)),
    request: (peer, piece, begin, length) => {
      const start = piece * PIECE + begin;
      const bytes = Buffer.from(space.subarray(start, start + length));
      if (spoils(piece, begin / 16_384)) bytes[5]! ^= 0xff;
      peer.send(frames.block(piece, begin, bytes));
    },
  };
}

const POISON: readonly [string, number, (piece: number, block: number) => boolean][] = [
  ["WIR-12: one who spoils everything", 1, () => true],
  ["WIR-12: three who spoil everything", 3, () => true],
  [
    "WIR-13: a peer that spoils one block in eight",
    1,
    (piece, block) => piece % 2 === 0 && block === 1,
  ],
];
for (const [name, count, spoils] of POISON) {
  test(
    `${name}, and an honest seed: complete, and the honest one is not banned`,
    OPTIONS,
    async (t) => {
      const made = await makeTorrent(t, { files: 4 * MIB });
      const liars = await Promise.all(
        Array.from({ length: count }, (_, i) =>
          listenAs(t, poisoner(made, spoils), `127.0.0.${10 + i}`),
        ),
      );
      const honest = await startSeed(t, made, { host: HONEST });
      await honest.when("complete");
      const download = leech(t, await startEngine(t), made, { peers: liars });
      await until("they lied", () => download.torrent.stats().downloaded >= 4 * PIECE);
      download.torrent.addPeers([honest.address]);
      await download.when("complete");
      assertSame(made, download.root);
      const banned = bannedBy(download);
      assert.ok(!banned.has(HONEST), "the honest one is not");
      // Of several liars, each may have left before anything was proved against it.
      if (count === 1) assert.ok(banned.has("127.0.0.10"), "the liar is");
      // All of it may have arrived wrong before the honest peer joined, and once more until the last is proved.
      assert.ok(download.torrent.stats().downloaded < 3 * 4 * MIB);
    },
  );
}

for (const wrong of ["v1", "v2"] as const) {
  const right = wrong === "v1" ? "v2" : "v1";
  test(
    `BEP 52: a hybrid whose ${right} hash says yes and whose ${wrong} hash says no breaks, and bans nobody`,
    OPTIONS,
    async (t) => {
      const made = await makeTorrent(t, { files: 8 * PIECE, kind: "hybrid", wrong });
      const peers = await Promise.all(
        ["127.0.0.50", "127.0.0.51"].map((at) =>
          listenAs(
            t,
            poisoner(made, () => false),
            at,
          ),
        ),
      );
      const download = leech(t, await startEngine(t), made, { peers });
      const { state } = await download.when("state", (event) => event.state.kind === "broken");
      assert.ok(state.kind === "broken" && state.cause === "contradiction");
      assert.ok(state.message.includes("piece 1 is right by its"));
      assert.ok(state.kind === "broken" && state.message.includes(`wrong by its ${wrong} hash`));
      assert.ok(!download.events.some((event) => event.kind === "peer-banned"));
      assert.equal(download.torrent.peers().length, 0);
      assert.equal(download.torrent.have?.has(1), false);
    },
  );

  test(
    `BEP 52: a peer that seeds a hybrid with a wrong ${wrong} hash is told so`,
    OPTIONS,
    async (t) => {
      const made = await makeTorrent(t, { files: 8 * PIECE, kind: "hybrid", wrong });
      const seeder = await startSeed(t, made);
      const asking = dial(t, seeder.endpoint, {
        infohash: made.infohash,
        ready: (peer) => peer.send(frames.signal(MESSAGE.interested)),
        unchoke: (peer) => peer.send(frames.request(1, 0, 16_384)),
      });
      await asking.closed;
      assert.equal(seeder.torrent.state.kind, "broken");
    },
  );
}

test(
  "a liar's blocks fail both hashes of a hybrid: the torrent is not broken",
  OPTIONS,
  async (t) => {
    const made = await makeTorrent(t, { files: 8 * PIECE, kind: "hybrid" });
    const liar = await listenAs(
      t,
      poisoner(made, () => true),
      "127.0.0.52",
    );
    const honest = await startSeed(t, made, { host: HONEST });
    const download = leech(t, await startEngine(t), made, { peers: [liar] });
    await until("it lied", () => download.torrent.stats().downloaded >= PIECE);
    download.torrent.addPeers([honest.address]);
    await download.when("complete");
    assertSame(made, download.root);
    assert.deepEqual([...bannedBy(download)], ["127.0.0.52"]);
  },
);

/** Claims to have the info dictionary, and sends another one. */
function metadataLiar(infohash: Uint8Array, size: number): Script {
  return {
    infohash,
    flags: { extended: true },
    ready: (peer) =>
      peer.send(
        frames.extended(
          0,
          encode(dictOf({ m: new Map([["ut_metadata", 7]]), metadata_size: size })),
        ),
      ),
    extended: (peer, id, payload) => {
      if (id !== 7) return;
      const piece = Number(/5:piecei(\d+)e/.exec(Buffer.from(payload).toString("latin1"))?.[1]);
      const length = Math.min(16_384, size - piece * 16_384);
      const head = encode(dictOf({ msg_type: 1, piece, total_size: size }));
      // The engine gives ut_metadata the id 1, because it offers it first.
      peer.send(frames.extended(1, Buffer.concat([head, Buffer.alloc(length, 0x64)])));
    },
  };
}

for (const kind of ["v1", "v2", "hybrid"] as const) {
  test(`WIR-10: a ${kind} magnet with a liar and an honest peer`, OPTIONS, async (t) => {
    const made = await makeTorrent(t, { files: 30 * PIECE, kind });
    const size = made.metainfo.info.infoBytes.length;
    const liar = await listenAs(t, metadataLiar(made.infohash, size), "127.0.0.20");
    const honest = await startSeed(t, made, { host: HONEST });
    await honest.when("complete");
    const download = leech(t, await startEngine(t), made, {
      from: magnetOf(made),
      peers: [liar],
    });
    const { address } = await download.when("peer-banned");
    assert.equal(address, "127.0.0.20");
    download.torrent.addPeers([honest.address]);
    await download.when("complete");
    assertSame(made, download.root);
    assert.deepEqual([...bannedBy(download)], ["127.0.0.20"]);
  });
}

const SIZES: readonly [string, number][] = [
  ["2^31", 2 ** 31],
  ["negative", -1],
  ["none at all", 0],
];
test("WIR-10: impossible sizes are not believed", OPTIONS, async (t) => {
  const made = await makeTorrent(t, { files: 4 * PIECE });
  const liars = await Promise.all(
    SIZES.map(([, size], i) => listenAs(t, metadataLiar(made.infohash, size), `127.0.0.${30 + i}`)),
  );
  const honest = await startSeed(t, made, { host: HONEST });
  await honest.when("complete");
  const download = leech(t, await startEngine(t), made, {
    from: magnetOf(made),
    peers: [...liars, honest.address],
  });
  await download.when("complete");
  assertSame(made, download.root);
});

/** Has every piece, and answers for hashes as configured. */
function hashLiar(made: Made, answer: NonNullable<Script["hashRequest"]>): Script {
  return {
    infohash: made.infohash,
    flags: { v2: true },
    ready: (peer) => peer.send(frames.signal(MESSAGE.haveAll)),
    hashRequest: answer,
  };
}
const ANSWERS: readonly [string, NonNullable<Script["hashRequest"]>][] = [
  [
    "wrong",
    (peer, range) =>
      peer.send(
        encodeHashes(
          range,
          Buffer.alloc(32 * (range.length + 64), 9).subarray(
            0,
            32 * (range.length + range.proofLayers),
          ),
        ),
      ),
  ],
  ["with a reject", (peer, range) => peer.send(encodeHashReject(range))],
];
for (const [name, answer] of ANSWERS) {
  test(`WIR-18: hash requests answered ${name}: another peer is asked`, OPTIONS, async (t) => {
    const made = await makeTorrent(t, { files: 40 * 16_384, kind: "v2", pieceLength: 16_384 });
    const asked: RawPeer[] = [];
    const liar = await listenAs(
      t,
      hashLiar(made, (peer, range) => {
        asked.push(peer);
        answer(peer, range);
      }),
      "127.0.0.40",
    );
    const honest = await startSeed(t, made, { host: HONEST });
    await honest.when("complete");
    // The .torrent without its layers is what a magnet link provides.
    const from = { metainfo: { ...made.metainfo, pieceLayers: new Map() } };
    const download = leech(t, await startEngine(t), made, { from, peers: [liar] });
    await until("somebody was asked", () => asked.length > 0);
    download.torrent.addPeers([honest.address]);
    await download.when("complete");
    assertSame(made, download.root);
  });
}
