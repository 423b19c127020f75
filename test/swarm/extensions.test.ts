import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { formatPeerAddress } from "../../src/base/peer-address.ts";
import { EngineError } from "../../src/engine/engine-error.ts";
import type { ExtensionKind, ExtensionPeer } from "../../src/engine/extension.ts";
import { SimSwarm, type SimPeer } from "../../src/sim/sim-swarm.ts";
import { WireError } from "../../src/wire/wire-error.ts";
import { assertWhole, MIB, withSeed } from "./judging.ts";

const LIMIT_MS = 60_000;

/**
 * Counts the peers that are here; sends its number of ticks to each peer at every tick, and records what it receives.
 */
class Counting implements ExtensionKind {
  readonly name = "es_count";
  readonly inPrivate: boolean;
  readonly here = new Set<ExtensionPeer>();
  joins = 0;
  leaves = 0;
  ticks = 0;
  heard = 0;
  readonly seeds = new Set<string>();
  /** A peer that sends more than this is lying. */
  heardMax = Number.POSITIVE_INFINITY;

  constructor(options: { inPrivate: boolean } = { inPrivate: true }) {
    this.inPrivate = options.inPrivate;
  }

  create() {
    return {
      join: (peer: ExtensionPeer) => {
        assert.ok(!this.here.has(peer));
        this.here.add(peer);
        this.joins += 1;
      },
      leave: (peer: ExtensionPeer) => {
        assert.ok(this.here.delete(peer), "one that joined");
        assert.equal(peer.send(Uint8Array.of(1)), false, "it is gone");
        this.leaves += 1;
      },
      handleMessage: (peer: ExtensionPeer, payload: Uint8Array) => {
        assert.ok(this.here.has(peer));
        assert.equal(payload.length, 4);
        this.heard += 1;
        if (this.heard > this.heardMax) throw new WireError("bad-extension", "too much");
      },
      tick: () => {
        this.ticks += 1;
        for (const peer of this.here) {
          if (peer.isSeed) this.seeds.add(formatPeerAddress(peer.address));
          peer.send(new Uint8Array(Uint32Array.of(this.ticks).buffer));
        }
      },
    };
  }
}

async function withExtension(swarm: SimSwarm, kind: ExtensionKind): Promise<SimPeer> {
  const node = await swarm.join();
  return { node, run: node.leech(swarm.made, { extensions: [kind] }) };
}

test(
  "a peer that joins an extension leaves it, even when the torrent stops",
  withSeed(95, async (seed) => {
    const swarm = new SimSwarm({ seed, size: 2 * MIB });
    const first = await swarm.joinSeed();
    const [one, other] = [new Counting(), new Counting()];
    const speakers = [await withExtension(swarm, one), await withExtension(swarm, other)];
    const others = await swarm.joinLeechers(3, { link: { upBytesPerSecond: 200_000 } });
    swarm.introduce([first, ...speakers, ...others]);
    assert.ok(swarm.runUntilComplete([...speakers, ...others], LIMIT_MS) !== undefined);
    for (const peer of [...speakers, ...others]) assertWhole(swarm, peer);
    assert.ok(one.joins >= 5, `${one.joins} joined, also those that do not speak it`);
    assert.ok(one.ticks > 0 && one.heard > 0 && other.heard > 0, "they hear each other");
    assert.ok(one.seeds.has(formatPeerAddress(first.node.address)), "a seed is known as one");
    for (const { node, run } of speakers) {
      let isRemoved = false;
      void node.session.remove(run.torrent).then(() => (isRemoved = true));
      // Pending promises continue between the steps.
      for (let i = 0; i < 100 && !isRemoved; i += 1) {
        swarm.simulation.runFor(50);
        await setImmediate();
      }
      assert.ok(isRemoved);
    }
    for (const { joins, leaves, here } of [one, other]) {
      assert.equal(leaves, joins);
      assert.equal(here.size, 0);
    }
  }),
);

test(
  "a peer that breaks an extension's grammar is closed, and leaves",
  withSeed(96, async (seed) => {
    const swarm = new SimSwarm({ seed, size: 64 * 1024 });
    const [strict, other] = [new Counting(), new Counting()];
    strict.heardMax = 0;
    const peers = [await withExtension(swarm, strict), await withExtension(swarm, other)];
    swarm.introduce(peers);
    assert.ok(swarm.simulation.runUntil(() => strict.leaves === 1, 5_000));
    assert.equal(strict.joins, 1);
    assert.equal(peers[0]!.run.torrent.peers().length, 0);
  }),
);

test(
  "an extension may close a peer, and send to it, at any time",
  withSeed(97, async (seed) => {
    const swarm = new SimSwarm({ seed, size: 64 * 1024 });
    const [one, other] = [new Counting(), new Counting()];
    swarm.introduce([await withExtension(swarm, one), await withExtension(swarm, other)]);
    assert.ok(swarm.simulation.runUntil(() => other.heard > 0, 5_000));
    const [peer] = one.here;
    const { heard } = other;
    // Outside any burst: it is still sent at once.
    assert.equal(peer!.send(new Uint8Array(4)), true);
    swarm.simulation.runFor(100);
    assert.equal(other.heard, heard + 1);
    peer!.close("enough");
    swarm.simulation.runFor(100);
    assert.equal(one.leaves, one.joins);
    assert.equal(peer!.send(new Uint8Array(4)), false);
  }),
);

test("two extensions cannot have the same name", async () => {
  const swarm = new SimSwarm({ seed: 1, size: 64 * 1024 });
  const node = await swarm.join();
  for (const name of ["ut_metadata", "es_count"]) {
    const kinds = [new Counting(), { ...new Counting(), name, create: () => assert.fail() }];
    const add = (): unknown => node.leech(swarm.made, { extensions: kinds });
    assert.throws(add, (error) => error instanceof EngineError && /duplicate/.test(error.code));
  }
});
