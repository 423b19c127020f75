import assert from "node:assert/strict";
import { test } from "node:test";
import { SimSwarm } from "../../src/sim/sim-swarm.ts";
import { MESSAGE } from "../../src/wire/message-id.ts";
import { frames } from "../hostile/raw-peer.ts";
import { MIB, withSeed } from "./judging.ts";
import { FAST_LINK, infohashOf, ScriptedPeer } from "./scripted-peer.ts";

const BLOCK = 16 * 1024;
const BLOCKS = 256;

/** A peer that keeps many requests open, and whose program reads at this rate. */
async function slowReader(seed: number, readBytesPerSecond: number) {
  const swarm = new SimSwarm({ seed, size: 4 * MIB, pieceLength: 256 * 1024 });
  const first = await swarm.joinSeed({ link: FAST_LINK });
  swarm.simulation.runFor(100);
  const host = swarm.net.createHost("172.16.0.1", { ...FAST_LINK, readBytesPerSecond });
  let received = 0;
  const ask = (peer: ScriptedPeer, index: number): void => {
    const at = index % BLOCKS;
    peer.send(frames.request(Math.floor(at / 16), (at % 16) * BLOCK, BLOCK));
  };
  const peer = new ScriptedPeer({
    infohash: infohashOf(swarm),
    ready: (each) => each.send(frames.signal(MESSAGE.interested)),
    unchoke: (each) => {
      for (let index = 0; index < 100; index += 1) ask(each, index);
    },
    block: (each) => {
      received += BLOCK;
      ask(each, 100 + received / BLOCK);
    },
  }).dial(host, first.node.address);
  return { swarm, first, host, peer, received: () => received };
}

for (const rate of [12_000, 48_000]) {
  test(
    `WIR-6: a peer that reads ${rate} bytes a second is served for five minutes, and owes little memory`,
    withSeed(90, async (seed, t) => {
      const { swarm, first, peer, received } = await slowReader(seed, rate);
      let lentMax = 0;
      for (let second = 0; second < 300; second += 1) {
        swarm.simulation.runFor(1_000);
        assert.equal(peer.isClosed, false, `closed after ${second} s`);
        lentMax = Math.max(lentMax, first.node.sendSlabs.lentBytes);
      }
      t.diagnostic(`${received()} bytes, at most ${lentMax} of memory`);
      assert.ok(received() > 0.9 * 300 * rate, `${received()} bytes`);
    }),
  );
}

test(
  "WIR-6: a peer that reads for a minute and then stops is closed within the next",
  withSeed(91, async (seed) => {
    const { swarm, first, peer } = await slowReader(seed, 12_000);
    swarm.simulation.runFor(60_000);
    assert.equal(peer.isClosed, false);
    peer.connection!.pauseReading();
    assert.ok(
      swarm.simulation.runUntil(() => peer.isClosed, 60_000),
      "closed",
    );
    swarm.simulation.runFor(6_000);
    assert.equal(first.node.sendSlabs.lentBytes, 0, "all memory came back");
  }),
);
