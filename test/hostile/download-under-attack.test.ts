import assert from "node:assert/strict";
import { test } from "node:test";
import { MESSAGE } from "../../src/wire/message-id.ts";
import { dial, frames, listenAs, openSocket, type RawPeer, type Script } from "./raw-peer.ts";
import {
  assertSame,
  leech,
  makeTorrent,
  PIECE,
  rssGrowth,
  startEngine,
  startSeed,
} from "./world.ts";

const MIB = 1024 * 1024;
const OPTIONS = { timeout: 30_000 };
const GREETINGS: readonly [string, Uint8Array][] = [
  ["HTTP", Buffer.from("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")],
  ["TLS", Buffer.from("16030100f8010000f40303", "hex")],
  ["ssh", Buffer.from("SSH-2.0-OpenSSH_9.7\r\n")],
  ["a longer protocol name", Buffer.from("\x14BitTorrent protocol!")],
];
for (const [name, greeting] of GREETINGS) {
  test(`WIR-3: ${name} is closed without an answer`, OPTIONS, async (t) => {
    const made = await makeTorrent(t, { files: PIECE });
    const { endpoint } = await startSeed(t, made);
    const socket = openSocket(t, endpoint);
    const answer: Buffer[] = [];
    socket.on("data", (chunk: Buffer) => answer.push(chunk));
    socket.write(greeting);
    await new Promise((resolve) => socket.on("close", resolve));
    assert.equal(Buffer.concat(answer).length, 0);
  });
}

test(
  "WIR-3: a request for a torrent we do not have is closed without an answer",
  OPTIONS,
  async (t) => {
    const made = await makeTorrent(t, { files: PIECE });
    const { endpoint } = await startSeed(t, made);
    let ready = false;
    const stranger = dial(t, endpoint, {
      infohash: Buffer.alloc(20, 1),
      ready: () => (ready = true),
    });
    await stranger.closed;
    assert.equal(ready, false);
  },
);

const announced = (length: number, id: number): Uint8Array => {
  const bytes = Buffer.alloc(5 + 100_000);
  bytes.writeUInt32BE(length);
  bytes[4] = id;
  return bytes;
};
const HUGE: readonly [string, Uint8Array][] = [
  ["2^32-1 of a block", announced(2 ** 32 - 1, MESSAGE.piece)],
  ["2^31 of a bitfield", announced(2 ** 31, MESSAGE.bitfield)],
  ["64 MB of an extended message", announced(64_000_000, MESSAGE.extended)],
  ["2^32-1 of nothing known", announced(2 ** 32 - 1, 200)],
  ["a have of 6 bytes", announced(6, MESSAGE.have)],
];
test(
  "WIR-1: declared lengths beyond the limit end the connection and cost no memory",
  OPTIONS,
  async (t) => {
    const made = await makeTorrent(t, { files: 2 * MIB });
    const { address: seedAt } = await startSeed(t, made);
    const subject = await startEngine(t);
    const download = leech(t, subject, made);
    const before = process.memoryUsage().rss;
    for (let round = 0; round < 10; round += 1) {
      await Promise.all(
        HUGE.map(
          ([, bytes]) =>
            dial(t, subject.endpoint, {
              infohash: made.infohash,
              ready: (peer) => peer.send(bytes),
            }).closed,
        ),
      );
    }
    assert.ok(rssGrowth(before) < 64 * MIB);
    download.torrent.addPeers([seedAt]);
    await download.when("complete");
    assertSame(made, download.root);
  },
);

test("WIR-2: 300 silent sockets, and a download", OPTIONS, async (t) => {
  const made = await makeTorrent(t, { files: 2 * MIB });
  const seeder = await startSeed(t, made);
  for (let i = 0; i < 300; i += 1) {
    const socket = openSocket(t, seeder.endpoint, `127.0.1.${1 + (i % 3)}`);
    // Some send half of a handshake.
    if (i % 2 === 0) socket.write("\x13BitTorrent protocol");
  }
  const subject = await startEngine(t);
  const download = leech(t, subject, made, { peers: [seeder.address] });
  await download.when("complete");
  assertSame(made, download.root);
});

test(
  "WIR-2: a peer that withholds its peer id is closed in time, and does not keep us from dialling",
  OPTIONS,
  async (t) => {
    const made = await makeTorrent(t, { files: PIECE });
    const seeder = await startSeed(t, made);
    const subject = await startEngine(t, {
      settings: { handshakeTimeoutMs: 300, connectTimeoutMs: 300, halfOpenMax: 4 },
    });
    const download = leech(t, subject, made);
    const head = Buffer.concat([
      Buffer.from("\x13BitTorrent protocol"),
      Buffer.alloc(8),
      made.infohash,
    ]);
    const sockets = Array.from({ length: 20 }, () => openSocket(t, subject.endpoint));
    const ended = sockets.map((socket) => new Promise((resolve) => socket.on("close", resolve)));
    await Promise.all(
      sockets.map((socket, index) => {
        socket.write(head);
        // On a busy machine the first may be closed before the last is read.
        const answered = new Promise((resolve) => socket.once("data", resolve));
        return Promise.race([answered, ended[index]]);
      }),
    );
    download.torrent.addPeers([seeder.address]);
    await download.when("complete");
    await Promise.all(ended);
  },
);

/** Frames that break the rules right after the handshake, for a torrent of 20 pieces. */
const BROKEN: readonly [string, (peer: RawPeer) => void][] = [
  ["a bitfield too short", (peer) => peer.send(frames.bitfield(Buffer.alloc(2)))],
  ["a bitfield too long", (peer) => peer.send(frames.bitfield(Buffer.alloc(4)))],
  ["a bitfield with spare bits", (peer) => peer.send(frames.bitfield(Buffer.from([0, 0, 1])))],
  [
    "a bitfield that takes a piece back",
    (peer) =>
      peer.send(frames.bitfield(Buffer.from([0xff, 0, 0])), frames.bitfield(Buffer.alloc(3))),
  ],
  ["a late bitfield", (peer) => peer.send(frames.have(0), frames.bitfield(Buffer.alloc(3)))],
  ["have of piece 20", (peer) => peer.send(frames.have(20))],
  ["suggest of piece 2^32-1", (peer) => peer.send(frames.suggest(2 ** 32 - 1))],
  ["allowed-fast of piece 20", (peer) => peer.send(frames.allowedFast(20))],
  ["request of piece 20", (peer) => peer.send(frames.request(20, 0, 16_384))],
  [
    "have-all, then have-none",
    (peer) => peer.send(frames.signal(MESSAGE.haveAll), frames.signal(MESSAGE.haveNone)),
  ],
];
for (const [name, act] of BROKEN) {
  test(`WIR-4, WIR-17: ${name} ends the connection`, OPTIONS, async (t) => {
    const made = await makeTorrent(t, { files: 20 * PIECE });
    const { endpoint } = await startSeed(t, made);
    await dial(t, endpoint, { infohash: made.infohash, ready: act }).closed;
  });
}

test("WIR-17: fast messages end a connection that did not negotiate them", OPTIONS, async (t) => {
  const made = await makeTorrent(t, { files: 20 * PIECE });
  const { endpoint } = await startSeed(t, made);
  for (const bytes of [
    frames.signal(MESSAGE.haveAll),
    frames.suggest(0),
    frames.allowedFast(0),
    frames.reject(0, 0, 16_384),
  ]) {
    const script: Script = {
      infohash: made.infohash,
      flags: { fast: false },
      ready: (peer) => peer.send(bytes),
    };
    await dial(t, endpoint, script).closed;
  }
});

test(
  "WIR-7: floods of control messages end their connection; the download is not affected",
  OPTIONS,
  async (t) => {
    const made = await makeTorrent(t, { files: 4 * MIB });
    const seeder = await startSeed(t, made);
    const subject = await startEngine(t);
    const download = leech(t, subject, made);
    const flaps = [
      [frames.signal(MESSAGE.interested), frames.signal(MESSAGE.notInterested)],
      [frames.signal(MESSAGE.choke), frames.signal(MESSAGE.unchoke)],
      [Buffer.alloc(4)],
      [frames.cancel(0, 0, 16_384)],
      [frames.signal(MESSAGE.haveAll)],
      [frames.extended(0, Buffer.from("de"))],
    ];
    const closed = flaps.map(
      (messages) =>
        dial(t, subject.endpoint, {
          infohash: made.infohash,
          flags: { extended: true },
          ready: (peer) => {
            for (let i = 0; i < 2_000; i += 1) peer.send(...messages);
          },
        }).closed,
    );
    download.torrent.addPeers([seeder.address]);
    await Promise.all([download.when("complete"), ...closed]);
    assertSame(made, download.root);
  },
);

test(
  "WIR-8: unrequested blocks are dropped, and after some the peer is closed",
  OPTIONS,
  async (t) => {
    const made = await makeTorrent(t, { files: 4 * PIECE });
    const subject = await startEngine(t);
    const download = leech(t, subject, made);
    const liar = dial(t, subject.endpoint, {
      infohash: made.infohash,
      ready: (peer) => {
        for (let i = 0; i < 200; i += 1) peer.send(frames.block(i % 4, 0, Buffer.alloc(16_384, 7)));
      },
    });
    await liar.closed;
    assert.equal(download.torrent.stats().doneBytes, 0);
    assert.equal(download.torrent.have?.count ?? 0, 0);
    const seeder = await startSeed(t, made);
    download.torrent.addPeers([seeder.address]);
    await download.when("complete");
    assertSame(made, download.root);
  },
);

/** Wrong answers of a peer that was asked for a block. */
const WRONG: readonly [string, NonNullable<Script["request"]>][] = [
  [
    "one byte short",
    (peer, piece, begin, length) => peer.send(frames.block(piece, begin, Buffer.alloc(length - 1))),
  ],
  [
    "one byte long",
    (peer, piece, begin, length) => peer.send(frames.block(piece, begin, Buffer.alloc(length + 1))),
  ],
  [
    "at another begin",
    (peer, piece, begin, length) => peer.send(frames.block(piece, begin + 1, Buffer.alloc(length))),
  ],
  [
    "of another piece",
    (peer, piece, begin, length) =>
      peer.send(frames.block((piece + 1) % 8, begin, Buffer.alloc(length))),
  ],
  [
    "twice",
    (peer, piece, begin, length) => {
      const block = frames.block(piece, begin, Buffer.alloc(length));
      peer.send(block, block);
    },
  ],
  ["rejected", (peer, piece, begin, length) => peer.send(frames.reject(piece, begin, length))],
  [
    "half, then silence",
    (peer, piece, begin, length) =>
      peer.send(frames.block(piece, begin, Buffer.alloc(length)).subarray(0, length / 2)),
  ],
  ["never", () => undefined],
];
for (const [name, request] of WRONG) {
  test(`WIR-15, WIR-16: blocks answered ${name} do no harm`, OPTIONS, async (t) => {
    const made = await makeTorrent(t, { files: 8 * PIECE });
    const subject = await startEngine(t);
    const liar = await listenAs(
      t,
      {
        infohash: made.infohash,
        ready: (peer) => peer.send(frames.signal(MESSAGE.haveAll), frames.signal(MESSAGE.unchoke)),
        request,
      },
      "127.0.0.2",
    );
    let asked = false;
    const download = leech(t, subject, made, { peers: [liar] });
    // An honest seed joins only after the liar was asked.
    while (!asked) {
      await new Promise((resolve) => setImmediate(resolve));
      asked = (download.torrent.peers()[0]?.amInterested ?? false) && liar.peers.length > 0;
    }
    const seeder = await startSeed(t, made, { host: "127.0.0.3" });
    download.torrent.addPeers([seeder.address]);
    await download.when("complete");
    assertSame(made, download.root);
    for (const event of download.events) {
      assert.ok(event.kind !== "peer-banned" || event.address !== "127.0.0.3");
    }
  });
}
