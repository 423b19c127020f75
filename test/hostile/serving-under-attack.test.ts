import assert from "node:assert/strict";
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { tcpAddress } from "../../src/base/peer-address.ts";
import { seededRandom } from "../../src/sim/seeded-random.ts";
import type { EngineTorrent } from "../../src/engine/session-contract.ts";
import { equalBytes } from "../../src/base/bytes.ts";
import { sha256 } from "../../src/base/hash.ts";
import { verifyHashes } from "../../src/metainfo/merkle.ts";
import { encodeHashRequest } from "../../src/wire/hash-transfer.ts";
import { MESSAGE } from "../../src/wire/message-id.ts";
import { dial, frames, type RawPeer } from "./raw-peer.ts";
import { assertSame, leech, makeTorrent, PIECE, seed, startEngine, startSeed } from "./world.ts";

const MIB = 1024 * 1024;
const OPTIONS = { timeout: 30_000 };
const BLOCK = 16_384;

/** Requests that must never be answered with bytes, for a torrent of 4.5 pieces. */
const BAD: readonly [string, number, number, number][] = [
  ["of no bytes", 0, 0, 0],
  ["past the piece", 0, PIECE - 1, 2],
  ["past the last piece", 4, PIECE / 2 - 10, 11],
  ["of more than a block may have", 0, 0, 131_073],
  ["of 2^32-1 bytes", 0, 0, 2 ** 32 - 1],
  ["whose end wraps around", 0, 2 ** 32 - 1, 2],
  ["from 2^31 on", 1, 2 ** 31, BLOCK],
];
for (const [name, piece, begin, length] of BAD) {
  test(`WIR-5: a request ${name} is rejected, and the next one is served`, OPTIONS, async (t) => {
    const made = await makeTorrent(t, { files: 4.5 * PIECE });
    const { endpoint } = await startSeed(t, made);
    const rejected: number[][] = [];
    const block = await new Promise<Uint8Array>((resolve) => {
      dial(t, endpoint, {
        infohash: made.infohash,
        ready: (peer) => peer.send(frames.signal(MESSAGE.interested)),
        unchoke: (peer) =>
          peer.send(frames.request(piece, begin, length), frames.request(1, BLOCK, 100)),
        reject: (_peer, ...address) => rejected.push(address),
        block: (_peer, _piece, _begin, bytes) => resolve(bytes),
      });
    });
    assert.deepEqual(rejected, [[piece, begin]]);
    const space = made.bytes.get("content")!;
    assert.ok(space.subarray(PIECE + BLOCK, PIECE + BLOCK + 100).equals(block));
  });
}

for (const kind of ["v1", "v2", "hybrid"] as const) {
  test(`${kind}: a peer gets exactly the run of bytes that it requests`, OPTIONS, async (t) => {
    const made = await makeTorrent(t, { files: 4.5 * PIECE - 77, kind });
    const { endpoint } = await startSeed(t, made);
    const space = made.bytes.get("content")!;
    const random = seededRandom(5);
    const wanted: [piece: number, begin: number, length: number][] = [];
    for (let i = 0; i < 300; i += 1) {
      const piece = random.below(5);
      const size = Math.min(PIECE, space.length - piece * PIECE);
      // Whole blocks in order, as every program requests them, and other runs that a peer may think of.
      const whole = random.below(2) === 0;
      const begin = whole ? random.below(Math.ceil(size / BLOCK)) * BLOCK : random.below(size);
      const rest = size - begin;
      wanted.push([piece, begin, Math.min(rest, whole ? BLOCK : 1 + random.below(2 * BLOCK))]);
    }
    let served = 0;
    await new Promise<void>((resolve, reject) => {
      dial(t, endpoint, {
        infohash: made.infohash,
        ready: (peer) => peer.send(frames.signal(MESSAGE.interested)),
        unchoke: (peer) => peer.send(...wanted.map((address) => frames.request(...address))),
        reject: (_peer, ...address) => reject(new Error(`rejected ${address.join(" ")}`)),
        block: (_peer, piece, begin, bytes) => {
          const start = piece * PIECE + begin;
          const right = equalBytes(bytes, space.subarray(start, start + bytes.length));
          if (!right) reject(new Error(`wrong bytes for ${piece} ${begin} ${bytes.length}`));
          served += 1;
          if (served === wanted.length) resolve();
        },
      });
    });
  });
}

test("WIR-5: a peer that keeps requesting what does not exist is closed", OPTIONS, async (t) => {
  const made = await makeTorrent(t, { files: PIECE });
  const { endpoint } = await startSeed(t, made);
  const asking = dial(t, endpoint, {
    infohash: made.infohash,
    ready: (peer) => peer.send(frames.signal(MESSAGE.interested)),
    unchoke: (peer) => {
      for (let i = 0; i < 400; i += 1) peer.send(frames.request(0, PIECE, BLOCK));
    },
  });
  await asking.closed;
});

test(
  "WIR-22: twelve peers that request and never read, and an honest download",
  OPTIONS,
  async (t) => {
    const made = await makeTorrent(t, { files: 2 * MIB });
    const { endpoint } = await startSeed(t, made);
    for (let i = 0; i < 12; i += 1) {
      dial(
        t,
        endpoint,
        {
          infohash: made.infohash,
          ready: (peer) => peer.send(frames.signal(MESSAGE.interested)),
          unchoke: (peer) => {
            peer.socket.pause();
            for (let n = 0; n < 32; n += 1) peer.send(frames.request(n, 0, BLOCK));
          },
        },
        `127.0.2.${1 + (i % 5)}`,
      );
    }
    const download = leech(t, await startEngine(t), made, { peers: [tcpAddress(endpoint)] });
    await download.when("complete");
    assertSame(made, download.root);
  },
);

test("WIR-20: 400 connections from one address, and an honest download", OPTIONS, async (t) => {
  const made = await makeTorrent(t, { files: 2 * MIB });
  const { endpoint } = await startSeed(t, made);
  const closed = Array.from({ length: 400 }, () =>
    dial(t, endpoint, { infohash: made.infohash }, "127.0.3.1"),
  );
  const download = leech(t, await startEngine(t, { host: "127.0.3.2" }), made, {
    peers: [tcpAddress(endpoint)],
  });
  await download.when("complete");
  assertSame(made, download.root);
  assert.ok(closed.filter(({ isClosed }) => isClosed).length >= 400 - 80);
});

test(
  "WIR-20: a second connection with the same peer id is closed, the first stays",
  OPTIONS,
  async (t) => {
    const made = await makeTorrent(t, { files: PIECE });
    const { endpoint, torrent } = await startSeed(t, made);
    const script = { infohash: made.infohash, peerId: "-XX0000-always-same." };
    const first = await new Promise<RawPeer>((resolve) => {
      dial(t, endpoint, { ...script, ready: resolve });
    });
    await dial(t, endpoint, script, "127.0.0.9").closed;
    assert.equal(first.isClosed, false);
    assert.equal(torrent.stats().peers, 1);
  },
);

test("WIR-20: a peer with our own peer id is ourselves", OPTIONS, async (t) => {
  const made = await makeTorrent(t, { files: PIECE });
  const engine = await startEngine(t);
  const download = leech(t, engine, made, { peers: [engine.address] });
  const peerId = Buffer.from(engine.session.peerId).toString("latin1");
  await dial(t, engine.endpoint, { infohash: made.infohash, peerId }).closed;
  const seeder = await startSeed(t, made);
  download.torrent.addPeers([seeder.address]);
  await download.when("complete");
});

test("a hash request while the info is being fetched is rejected", OPTIONS, async (t) => {
  const made = await makeTorrent(t, { files: 4 * PIECE, kind: "v2" });
  const engine = await startEngine(t);
  const { infohashes } = made.metainfo.info;
  leech(t, engine, made, {
    from: {
      magnet: { infohashes, trackers: [], webSeeds: [], peers: [], exactSources: [] },
    },
  });
  const range = {
    piecesRoot: made.metainfo.info.files[0]!.piecesRoot!,
    baseLayer: 2,
    index: 0,
    length: 4,
    proofLayers: 0,
  };

  await new Promise<void>((resolve) => {
    dial(t, engine.endpoint, {
      infohash: made.infohash,
      flags: { v2: true },
      ready: (peer) => peer.send(encodeHashRequest(range)),
      hashReject: () => resolve(),
    });
  });
});

for (const kind of ["v2", "hybrid"] as const) {
  test(
    `BEP 52: the leaves of a ${kind} file are served, and verify a block`,
    OPTIONS,
    async (t) => {
      const made = await makeTorrent(t, { files: 6 * PIECE + 5, kind });
      const { endpoint } = await startSeed(t, made);
      const piecesRoot = made.metainfo.info.files[0]!.piecesRoot!;
      const range = { piecesRoot, baseLayer: 0, index: 8, length: 4, proofLayers: 4 };
      const hashes = await new Promise<Uint8Array>((resolve) => {
        dial(t, endpoint, {
          infohash: made.infohash,
          flags: { v2: true },
          ready: (peer) => peer.send(encodeHashRequest(range)),
          hashes: (_peer, _range, proof) => resolve(proof.slice()),
        });
      });
      // 25 blocks: a tree of 32 leaves.
      const known = (layer: number): Uint8Array | undefined =>
        layer === 5 ? piecesRoot : undefined;
      assert.ok(verifyHashes({ ...range, hashes }, known));
      const block = made.bytes.get("content")!.subarray(8 * BLOCK, 9 * BLOCK);
      assert.ok(equalBytes(hashes.subarray(0, 32), sha256(block)));
    },
  );
}

test(
  "WIR-14: a byte flips on disk: the piece is not served, is reported as lost, and is fetched again",
  OPTIONS,
  async (t) => {
    const made = await makeTorrent(t, { files: 8 * PIECE });
    const other = await startSeed(t, made, { host: "127.0.0.4" });
    const engine = await startEngine(t);
    const root = join(made.root, "..", "damaged");
    const damaged = Buffer.from(made.bytes.get("content")!);
    damaged[3 * PIECE + 7]! ^= 1;

    mkdirSync(root);
    writeFileSync(join(root, "content"), damaged);
    const subject = seed(engine, made, { root, existing: "own" });
    const blocks: Uint8Array[] = [];
    const rejected = await new Promise<number>((resolve) => {
      dial(t, engine.endpoint, {
        infohash: made.infohash,
        ready: (peer) => peer.send(frames.signal(MESSAGE.interested)),
        unchoke: (peer) => peer.send(frames.request(3, 0, BLOCK)),
        block: (_peer, _piece, _begin, bytes) => blocks.push(bytes),
        reject: (_peer, piece) => resolve(piece),
      });
    });
    assert.equal(rejected, 3);
    assert.equal(blocks.length, 0);
    assert.equal((await subject.when("piece-lost")).piece, 3);
    subject.torrent.addPeers([other.address]);
    assert.equal((await subject.when("piece")).piece, 3);
    assert.ok(readFileSync(join(root, "content")).equals(made.bytes.get("content")!));
  },
);

test(
  "STO-5: the folder vanishes while it is served: the loss is reported, and nothing else suffers",
  OPTIONS,
  async (t) => {
    const made = await makeTorrent(t, { files: 8 * PIECE });
    const healthy = await makeTorrent(t, { files: 8 * PIECE, name: "healthy" });
    const engine = await startEngine(t);
    const subject = seed(engine, made);
    seed(engine, healthy);
    await subject.when("complete");
    rmSync(made.root, { recursive: true });
    const rejected = new Promise<void>((resolve) => {
      dial(t, engine.endpoint, {
        infohash: made.infohash,
        ready: (peer) => peer.send(frames.signal(MESSAGE.interested)),
        unchoke: (peer) => peer.send(frames.request(0, 0, BLOCK)),
        reject: () => resolve(),
      });
    });
    await rejected;
    const download = leech(t, await startEngine(t), healthy, { peers: [engine.address] });
    await download.when("complete");
    assertSame(healthy, download.root);
  },
);

test(
  "STO-5: a file vanishes while it is served: the cause is reported, and when it is back everything is as before",
  OPTIONS,
  async (t) => {
    const made = await makeTorrent(t, { files: { "a.bin": 8 * PIECE, "b.bin": 8 * PIECE } });
    const engine = await startEngine(t, { speed: 10 });
    const subject = seed(engine, made);
    await subject.when("complete");
    const path = join(made.root, "content", "b.bin");
    const kept = join(made.root, "kept");
    renameSync(path, kept);
    const answers: string[] = [];
    const ask = (piece: number): Promise<void> =>
      new Promise((resolve) => {
        dial(t, engine.endpoint, {
          infohash: made.infohash,
          ready: (peer) => peer.send(frames.signal(MESSAGE.interested)),
          unchoke: (peer) => peer.send(frames.request(piece, 0, BLOCK)),
          reject: () => resolve(void answers.push(`no ${piece}`)),
          block: () => resolve(void answers.push(`block of ${piece}`)),
        });
      });
    await ask(12);
    const { state } = await subject.when("state", (event) => event.state.kind === "waiting");
    assert.ok(state.kind === "waiting" && state.message === `${path} is not there`);
    assert.equal(subject.torrent.have?.count, 8);
    await ask(3);
    subject.events.length = 0;
    renameSync(kept, path);
    await subject.when("state", (event) => event.state.kind === "seeding");
    assert.equal(subject.torrent.have?.full, true);
    await ask(12);
    assert.deepEqual(answers, ["no 12", "block of 3", "block of 12"]);
  },
);

test(
  "a torrent that sleeps wakes for a stranger's handshake; others stay closed",
  OPTIONS,
  async (t) => {
    const made = await makeTorrent(t, { files: 8 * PIECE });
    const asked: string[] = [];
    const engine = await startEngine(t, {
      wake: (infohash) => {
        asked.push(Buffer.from(infohash).toString("hex"));
        if (!made.infohash.every((byte, i) => byte === infohash[i])) {
          return asked.length === 1
            ? Promise.resolve<EngineTorrent | undefined>(undefined)
            : Promise.reject(new Error("the store is not there"));
        }
        return Promise.resolve(
          engine.session.find(infohash) ??
            engine.session.add({
              from: { metainfo: made.metainfo },
              root: made.root,
              mode: "seed",
            }),
        );
      },
    });
    await dial(t, engine.endpoint, { infohash: Buffer.alloc(20, 1) }).closed;
    await dial(t, engine.endpoint, { infohash: Buffer.alloc(20, 2) }).closed;
    const download = leech(t, await startEngine(t), made, { peers: [engine.address] });
    await download.when("complete");
    assertSame(made, download.root);
    assert.equal(asked.length, 3);
  },
);
