import assert from "node:assert/strict";
import { test } from "node:test";
import type { PeerAddress } from "../../src/base/peer-address.ts";
import { SimSwarm } from "../../src/sim/sim-swarm.ts";
import { MESSAGE } from "../../src/wire/message-id.ts";
import { frames } from "../hostile/raw-peer.ts";
import { assertWhole, bannedBy, MIB, withSeed } from "./judging.ts";
import {
  FAST_LINK,
  hostOf,
  infohashOf,
  listenAs,
  ScriptedPeer,
  type SwarmScript,
} from "./scripted-peer.ts";

const BLOCK = 16 * 1024;
const KEEP_ALIVE = new Uint8Array(4);

/** Sends this again and again, as long as the connection lives. */
function repeat(swarm: SimSwarm, peer: ScriptedPeer, everyMs: number, say: () => Uint8Array): void {
  if (peer.isClosed) return;
  peer.send(say());
  swarm.simulation.startTimer(everyMs, () => repeat(swarm, peer, everyMs, say));
}

const OWING: readonly [string, number, (swarm: SimSwarm) => Partial<SwarmScript>][] = [
  [
    "a byte of a block now and then",
    100_000,
    (swarm) => {
      let trickling = false;
      return {
        request: (peer, piece, begin, length) => {
          if (trickling) return;
          trickling = true;
          const block = frames.block(piece, begin, new Uint8Array(length));
          peer.send(block.subarray(0, 1_000));
          let at = 1_000;
          repeat(swarm, peer, 5_000, () => block.subarray(at, ++at));
        },
      };
    },
  ],
  [
    "keep-alives only",
    200_000,
    (swarm) => {
      let owing = false;
      return {
        request: (peer) => {
          if (!owing) repeat(swarm, peer, 5_000, () => KEEP_ALIVE);
          owing = true;
        },
      };
    },
  ],
];
for (const [what, closedMs, act] of OWING) {
  test(
    `WIR-15: a peer that owes blocks and sends ${what} is closed, and the download completes`,
    withSeed(40, async (seed) => {
      const swarm = new SimSwarm({ seed, size: 2 * MIB });
      const script: SwarmScript = {
        infohash: infohashOf(swarm),
        ready: (peer) => peer.send(frames.signal(MESSAGE.haveAll), frames.signal(MESSAGE.unchoke)),
        ...act(swarm),
      };
      const owing = await listenAs(hostOf(swarm, 1), script);
      const honest = await swarm.joinSeed();
      const leecher = await swarm.joinLeecher();
      swarm.simulation.runFor(100);
      leecher.run.torrent.addPeers([owing]);
      assert.ok(
        swarm.simulation.runUntil(() => owing.peers.length > 0, 10_000),
        "it is called",
      );
      swarm.simulation.runFor(1_000);
      leecher.run.torrent.addPeers([honest.node.address]);
      assert.ok(swarm.runUntilComplete([leecher], 100_000) !== undefined, "complete all the same");
      assertWhole(swarm, leecher);
      assert.equal(bannedBy(leecher).size, 0, "to be slow is no lie");
      assert.ok(
        swarm.simulation.runUntil(() => owing.peers[0]!.isClosed, closedMs),
        "closed",
      );
    }),
  );

  test(
    `WIR-15: a peer that owes blocks and sends ${what} is closed, even when there is no other peer`,
    withSeed(41, async (seed) => {
      const swarm = new SimSwarm({ seed, size: 2 * MIB });
      const script: SwarmScript = {
        infohash: infohashOf(swarm),
        ready: (peer) => peer.send(frames.signal(MESSAGE.haveAll), frames.signal(MESSAGE.unchoke)),
        ...act(swarm),
      };
      const owing = await listenAs(hostOf(swarm, 1), script);
      const leecher = await swarm.joinLeecher();
      swarm.simulation.runFor(100);
      leecher.run.torrent.addPeers([owing]);
      assert.ok(swarm.simulation.runUntil(() => owing.peers[0]?.isClosed === true, closedMs));
    }),
  );
}

test(
  "WIR-6: a peer that requests a little and never reads it holds memory for less than a minute",
  withSeed(42, async (seed) => {
    const swarm = new SimSwarm({ seed, size: 2 * MIB });
    const first = await swarm.joinSeed({ link: FAST_LINK });
    swarm.simulation.runFor(100);
    const hog = new ScriptedPeer({
      infohash: infohashOf(swarm),
      ready: (peer) => peer.send(frames.signal(MESSAGE.interested)),
      unchoke: (peer) => {
        peer.connection!.pauseReading();
        // More than the systems take, and less than we would queue: nothing is left to request.
        for (let i = 0; i < 80; i += 1) {
          peer.send(frames.request(i % 32, Math.floor(i / 32) * BLOCK, BLOCK));
        }
        repeat(swarm, peer, 20_000, () => KEEP_ALIVE);
      },
    }).dial(hostOf(swarm, 1), first.node.address);
    const holds = (): boolean => first.node.sendSlabs.lentBytes > 0;
    assert.ok(swarm.simulation.runUntil(holds, 5_000), "memory is lent");
    swarm.simulation.runFor(5_000);
    assert.ok(holds(), "it does not read");
    assert.ok(
      swarm.simulation.runUntil(() => hog.isClosed, 50_000),
      "closed",
    );
    assert.equal(first.node.sendSlabs.lentBytes, 0, "all memory came back");
  }),
);

/** Sixty peers that request as much and as often as they may, and read none of it. */
function hogs(swarm: SimSwarm, to: PeerAddress, requests: number): ScriptedPeer[] {
  return Array.from({ length: 60 }, (_, i) =>
    new ScriptedPeer({
      infohash: infohashOf(swarm),
      ready: (peer) => peer.send(frames.signal(MESSAGE.interested)),
      unchoke: (peer) => {
        peer.connection!.pauseReading();
        for (let n = 0; n < requests; n += 1) {
          peer.send(frames.request(n % 64, (n >>> 6) * BLOCK, BLOCK));
        }
      },
    }).dial(hostOf(swarm, 1 + i), to),
  );
}

for (const requests of [8, 32, 250]) {
  test(
    `WIR-22: sixty peers that request ${requests} blocks and never read cost a download less than it takes`,
    withSeed(43, async (seed, t) => {
      const took: number[] = [];
      for (const attacked of [false, true]) {
        const swarm = new SimSwarm({ seed, size: 4 * MIB });
        const first = await swarm.joinSeed({ link: FAST_LINK });
        const honest = await swarm.joinLeecher({ link: { downBytesPerSecond: MIB } });
        swarm.simulation.runFor(100);
        if (attacked) hogs(swarm, first.node.address, requests);
        swarm.simulation.runFor(1_000);
        honest.run.torrent.addPeers([first.node.address]);
        const tookMs = swarm.runUntilComplete([honest], 120_000);
        assert.ok(tookMs !== undefined, "complete all the same");
        assertWhole(swarm, honest);
        took.push(tookMs);
      }
      t.diagnostic(`${took.map(Math.round).join(" ms without, ")} ms with them`);
      assert.ok(took[1]! < 2 * took[0]!);
    }),
  );
}

test(
  "WIR-8: a seed without the fast extension that chokes us and sends all the same is not closed",
  withSeed(44, async (seed) => {
    const swarm = new SimSwarm({ seed, size: 8 * MIB, pieceLength: MIB });
    const pending: Uint8Array[] = [];
    let sent = 0;
    let chokes = 0;
    const choking = await listenAs(hostOf(swarm, 1), {
      infohash: infohashOf(swarm),
      flags: { fast: false },
      ready: (peer) => {
        const all = new Uint8Array(1).fill(0xff);
        peer.send(frames.bitfield(all), frames.signal(MESSAGE.unchoke));
      },
      request: (peer, piece, begin, length) => {
        const at = piece * MIB + begin;
        const bytes = swarm.made.bytes.subarray(at, at + length);
        sent += 1;
        // First we trust it and request more at once; then the requested blocks come after a choke.
        if (sent <= 256) peer.send(frames.block(piece, begin, bytes));
        else pending.push(frames.block(piece, begin, bytes));
        if (pending.length !== 80) return;
        chokes += 1;
        peer.send(frames.signal(MESSAGE.choke), ...pending.splice(0));
        swarm.simulation.startTimer(1_000, () => peer.send(frames.signal(MESSAGE.unchoke)));
      },
    });
    const leecher = await swarm.joinLeecher();
    swarm.simulation.runFor(100);
    leecher.run.torrent.addPeers([choking]);
    swarm.simulation.runFor(20_000);
    assert.ok(chokes > 1, `${chokes} chokes`);
    assert.equal(choking.peers.length, 1, "called once");
    assert.equal(choking.peers[0]!.isClosed, false);
  }),
);
