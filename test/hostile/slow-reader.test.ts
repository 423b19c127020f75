import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { test } from "node:test";
import { wireInfohashes } from "../../src/base/infohash.ts";
import { MESSAGE } from "../../src/wire/message-id.ts";
import { dial, frames, type RawPeer } from "./raw-peer.ts";
import { makeTorrent, PIECE, startSeed } from "./world.ts";

const BLOCK = 16 * 1024;
const MIB = 1024 * 1024;
const BYTES_PER_MS = 12;
/** Longer than the fifty seconds after which a peer that does not read is closed, plus the check before it. */
const SERVED_MS = 65_000;

test(
  "WIR-6: on loopback, where the system takes megabytes at once, a peer that reads 12 kB/s is not closed",
  {
    timeout: 120_000,
    skip: process.platform !== "linux" && "only Linux tells what was acknowledged",
  },
  async (t) => {
    const made = await makeTorrent(t, { files: 16 * MIB });
    const first = await startSeed(t, made);
    let received = 0;
    const ask = (peer: RawPeer, index: number): void => {
      const at = (index * BLOCK) % (16 * MIB);
      peer.send(frames.request(Math.floor(at / PIECE), at % PIECE, BLOCK));
    };
    const peer = dial(t, first.endpoint, {
      infohash: wireInfohashes(made.metainfo.info.infohashes)[0]!,
      ready: (each) => each.send(frames.signal(MESSAGE.interested)),
      unchoke: (each) => {
        for (let index = 0; index < 480; index += 1) ask(each, index);
        each.socket.on("data", (chunk: Buffer) => {
          each.socket.pause();
          setTimeout(() => each.socket.resume(), chunk.length / BYTES_PER_MS);
        });
      },
      block: (each) => {
        received += BLOCK;
        ask(each, 480 + received / BLOCK);
      },
    });
    await Promise.race([peer.closed, sleep(SERVED_MS)]);
    t.diagnostic(`${received} bytes read in ${SERVED_MS} ms`);
    assert.equal(peer.isClosed, false, "it reads, slowly and steadily");
  },
);
