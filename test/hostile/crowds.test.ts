import assert from "node:assert/strict";
import { test } from "node:test";
import { MESSAGE } from "../../src/wire/message-id.ts";
import { dial, frames, openSocket } from "./raw-peer.ts";
import { assertSame, leech, makeTorrent, seed, startEngine } from "./world.ts";

const MIB = 1024 * 1024;
const OPTIONS = { timeout: 30_000 };
const ADDRESSES = Array.from({ length: 250 }, (_, index) => `127.0.3.${index + 1}`);

for (const [who, isMute] of [
  ["that say nothing", true],
  ["that are interested and read nothing", false],
] as const) {
  test(`WIR-20: 250 neighbours ${who}, and an honest peer from elsewhere`, OPTIONS, async (t) => {
    const made = await makeTorrent(t, { files: 2 * MIB });
    const subject = await startEngine(t, {
      settings: {
        connectionsMax: 100,
        connectionsPerTorrentMax: 70,
        // So that a silent peer is not dropped during the test.
        handshakeTimeoutMs: 60_000,
      },
    });
    const { torrent } = seed(subject, made);
    const flood = ADDRESSES.map((address) => {
      if (isMute) return openSocket(t, subject.endpoint, address);
      const ready = { ready: (peer: { send(message: Uint8Array): void }) => peer.send(INTERESTED) };
      return dial(t, subject.endpoint, { infohash: made.infohash, ...ready }, address).socket;
    });
    const settled = flood.map(
      (socket) =>
        new Promise<void>((resolve) => {
          socket.once("close", () => resolve());
          socket.once(isMute ? "connect" : "data", () => resolve());
        }),
    );
    await Promise.all(settled);
    const honest = await startEngine(t, { host: "127.0.9.1" });
    const download = leech(t, honest, made, { peers: [subject.address] });
    await download.when("complete");
    assertSame(made, download.root);
    assert.ok(torrent.stats().peers <= 70);
    assert.ok(flood.filter(({ destroyed }) => destroyed).length >= 250 - 100);
  });
}

const INTERESTED = frames.signal(MESSAGE.interested);
