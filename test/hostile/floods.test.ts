import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import net from "node:net";
import { test, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import type { Endpoint } from "../../src/base/endpoint.ts";
import { tcpAddress } from "../../src/base/peer-address.ts";
import { toHex } from "../../src/base/bytes.ts";
import { MESSAGE } from "../../src/wire/message-id.ts";
import { settledMemory } from "./memory.ts";
import { dial, frames, RawPeer } from "./raw-peer.ts";
import {
  assertSame,
  leech,
  type Made,
  makeTorrent,
  PIECE,
  seed,
  startEngine,
  startSeed,
} from "./world.ts";

const MIB = 1024 * 1024;
const BLOCK = 16_384;
const OPTIONS = { timeout: 60_000 };
const HOG = fileURLToPath(new URL("hog-child.ts", import.meta.url));

/** An honest peer reads every block of the torrent, one at a time, and keeps none. */
async function readAll(t: TestContext, made: Made, endpoint: Endpoint): Promise<void> {
  const { geometry } = made.metainfo.info;
  const blocks = geometry.pieceCount * (PIECE / BLOCK);
  let next = 0;
  await new Promise<void>((resolve) => {
    const ask = (peer: { send(...messages: Uint8Array[]): void }): void => {
      const [piece, block] = [Math.floor(next / 4), next % 4];
      next += 1;
      peer.send(frames.request(piece, block * BLOCK, BLOCK));
    };
    dial(
      t,
      endpoint,
      {
        infohash: made.infohash,
        ready: (peer) => peer.send(frames.signal(MESSAGE.interested)),
        unchoke: ask,
        block: (peer) => {
          if (next < blocks) ask(peer);
          else {
            peer.socket.destroy();
            resolve();
          }
        },
      },
      "127.0.4.1",
    );
  });
}

for (const speech of ["fast", "plain"]) {
  test(
    `WIR-6: 100,000 requests and nothing read cost a seed less than 20 MB, ${speech}`,
    OPTIONS,
    async (t) => {
      const made = await makeTorrent(t, { files: 4 * MIB });
      const { endpoint, torrent } = await startSeed(t, made);
      await readAll(t, made, endpoint);
      const before = settledMemory().rss;
      const hog = spawn(
        process.execPath,
        [HOG, String(endpoint.port), toHex(made.infohash), speech],
        { stdio: ["ignore", "pipe", "inherit"] },
      );
      t.after(() => hog.kill("SIGKILL"));
      await once(hog.stdout, "data");
      // Its requests are handled between the blocks of the honest peer.
      await readAll(t, made, endpoint);
      const grown = settledMemory().rss - before;
      t.diagnostic(`${(grown / MIB).toFixed(1)} MiB more`);
      assert.ok(grown < 20_000_000, `${grown} bytes`);
      assert.ok(torrent.stats().peers >= 1, "it is connected all the while");
    },
  );
}

test(
  "WIR-20: 500 connections from 250 addresses of a network do not keep an honest peer out",
  OPTIONS,
  async (t) => {
    const made = await makeTorrent(t, { files: 2 * MIB });
    const { endpoint, torrent } = await startSeed(t, made);
    const flood = Array.from({ length: 500 }, (_, i) => {
      return new Promise<void>((resolve) => {
        const peer = dial(
          t,
          endpoint,
          { infohash: made.infohash, ready: () => resolve() },
          `127.0.3.${1 + (i % 250)}`,
        );
        void peer.closed.then(resolve);
      });
    });
    await Promise.all(flood);
    const letIn = torrent.stats().peers;
    t.diagnostic(`${letIn} of the flood are let in`);
    assert.ok(letIn <= 80, "as many as a torrent has places");
    const honest = leech(t, await startEngine(t, { host: "127.0.4.2" }), made, {
      peers: [tcpAddress(endpoint)],
    });
    await honest.when("complete");
    assertSame(made, honest.root);
  },
);

test("STO-11: past connections and torrents leave no memory behind", OPTIONS, async (t) => {
  const made = await makeTorrent(t, { files: 2 * MIB });
  const others: Made[] = [];
  for (let i = 0; i < 10; i += 1) {
    others.push(await makeTorrent(t, { files: PIECE, name: `other ${i}` }));
  }
  const engine = await startEngine(t);
  const subject = seed(engine, made);
  await subject.when("complete");

  /** Requests a block and leaves. `dial` would keep the connection until the end of the test. */
  const visit = (number: number): Promise<void> => {
    const { address: host, port } = engine.endpoint;
    const socket = net.connect({ host, port, localAddress: `127.0.5.${1 + number}` });
    const peer = new RawPeer(socket, {
      infohash: made.infohash,
      ready: (self) => self.send(frames.signal(MESSAGE.interested)),
      unchoke: (self) => self.send(frames.request(number, 0, BLOCK)),
      block: (self) => self.socket.destroy(),
    });
    return peer.closed;
  };
  /** Two hundred connections come and go, fifty torrents are added and removed. */
  const round = async (): Promise<void> => {
    for (let batch = 0; batch < 10; batch += 1) {
      await Promise.all(Array.from({ length: 20 }, (_, i) => visit(i)));
    }
    for (let i = 0; i < 50; i += 1) {
      const run = seed(engine, others[i % others.length]!);
      await run.when("complete");
      await engine.session.remove(run.torrent);
    }
  };
  await round();
  const before = settledMemory();
  for (let again = 0; again < 3; again += 1) await round();
  const after = settledMemory();
  t.diagnostic(`${((after.used - before.used) / MIB).toFixed(2)} MiB more in use`);
  assert.ok(after.used - before.used < 2 * MIB, `${after.used - before.used} bytes stay`);
  assert.equal(subject.torrent.stats().peers, 0);
});
