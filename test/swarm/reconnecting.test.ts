import assert from "node:assert/strict";
import { test } from "node:test";
import { dictOf, encode } from "../../src/bencode/encode.ts";
import { isComplete, SimSwarm, type SimPeer } from "../../src/sim/sim-swarm.ts";
import { MESSAGE } from "../../src/wire/message-id.ts";
import { frames } from "../hostile/raw-peer.ts";
import { assertWhole, MIB, withSeed } from "./judging.ts";
import { hostOf, infohashOf, listenAs, SCRIPTED_PORT, ScriptedPeer } from "./scripted-peer.ts";

const SLOW_LINK = { upBytesPerSecond: MIB / 4 };

function connections({ run }: SimPeer): number {
  return run.torrent.peers().length;
}

test(
  "a broken connection is restored within seconds, and the download continues",
  withSeed(50, async (seed) => {
    const swarm = new SimSwarm({ seed, size: 4 * MIB });
    const first = await swarm.joinSeed({ link: SLOW_LINK });
    const caller = await swarm.joinLeecher();
    swarm.simulation.runFor(100);
    caller.run.torrent.addPeers([first.node.address]);
    const later = swarm.simulation.runUntil(() => caller.run.torrent.stats().doneBytes > 0, 10_000);
    assert.ok(later, "the download is under way");
    assert.equal(first.run.torrent.stats().knownPeers, 1, "the caller is known where it listens");
    caller.node.host.goOffline();
    swarm.simulation.runFor(1_000);
    assert.equal(connections(first), 0);
    caller.node.host.goOnline();
    assert.ok(
      swarm.simulation.runUntil(() => connections(first) === 1, 15_000),
      "found again",
    );
    assert.ok(swarm.runUntilComplete([caller], 60_000) !== undefined);
    assertWhole(swarm, caller);
  }),
);

test(
  "a peer that dialled us is not dialled while it is connected, and its many ports count as one",
  withSeed(51, async (seed) => {
    const swarm = new SimSwarm({ seed, size: MIB });
    const first = await swarm.joinSeed();
    swarm.simulation.runFor(100);
    const host = hostOf(swarm, 1);
    const listening = await listenAs(host, { infohash: infohashOf(swarm) });
    const says = (port: number): Uint8Array => frames.extended(0, encode(dictOf({ p: port })));
    const peer = new ScriptedPeer({
      infohash: infohashOf(swarm),
      flags: { extended: true },
      ready: (self) => {
        for (let port = SCRIPTED_PORT; port < SCRIPTED_PORT + 20; port += 1) self.send(says(port));
      },
    }).dial(host, first.node.address);
    swarm.simulation.runFor(60_000);
    assert.equal(first.run.torrent.stats().knownPeers, 1);
    assert.equal(listening.peers.length, 0, "it is connected");
    peer.connection!.destroy();
    assert.ok(swarm.simulation.runUntil(() => listening.peers.length > 0, 10_000));
  }),
);

test(
  "a peer that hangs up on every call is dialled less and less often",
  withSeed(52, async (seed) => {
    const swarm = new SimSwarm({ seed, size: MIB });
    const leecher = await swarm.joinLeecher();
    const unwilling = await listenAs(hostOf(swarm, 1), {
      infohash: infohashOf(swarm),
      ready: (peer) => peer.connection!.destroy(),
    });
    swarm.simulation.runFor(100);
    leecher.run.torrent.addPeers([unwilling]);
    swarm.simulation.runFor(30_000);
    assert.ok(unwilling.peers.length >= 3, `${unwilling.peers.length} calls in half a minute`);
    const before = unwilling.peers.length;
    swarm.simulation.runFor(600_000);
    assert.ok(unwilling.peers.length - before <= 12, "one a minute at most from then on");
  }),
);

test(
  "two seeds that were introduced manually do not dial each other all the time",
  withSeed(53, async (seed) => {
    const swarm = new SimSwarm({ seed, size: MIB });
    const seeds = [await swarm.joinSeed(), await swarm.joinSeed()];
    const calls = (): number => seeds.reduce((sum, { node }) => sum + node.host.sentBytes, 0);
    swarm.introduce(seeds);
    assert.ok(seeds.every(isComplete));
    swarm.simulation.runFor(60_000);
    const before = calls();
    swarm.simulation.runFor(600_000);
    assert.ok(calls() - before < 10 * 400, `${calls() - before} bytes of greetings`);
  }),
);

test(
  "a seed that lost a piece dials others again in time",
  withSeed(54, async (seed) => {
    const swarm = new SimSwarm({ seed, size: MIB });
    const whole = await swarm.joinSeed();
    const damaged = await swarm.joinSeed();
    swarm.introduce([whole, damaged]);
    swarm.simulation.runFor(10_000);
    damaged.node.disk.damage(`${damaged.run.root}/${swarm.made.name}`, 1_000);
    const asking = new ScriptedPeer({
      infohash: infohashOf(swarm),
      ready: (peer) => peer.send(frames.signal(MESSAGE.interested)),
      unchoke: (peer) => peer.send(frames.request(0, 0, 16_384)),
    }).dial(hostOf(swarm, 1), damaged.node.address);
    assert.ok(
      swarm.simulation.runUntil(() => !isComplete(damaged), 5_000),
      "the damage is found",
    );
    assert.ok(
      swarm.simulation.runUntil(() => isComplete(damaged), 120_000),
      "and healed",
    );
    assert.ok(!asking.isClosed);
    assertWhole(swarm, damaged);
  }),
);
