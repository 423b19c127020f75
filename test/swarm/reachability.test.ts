import assert from "node:assert/strict";
import { test } from "node:test";
import type { TransportKind } from "../../src/base/peer-address.ts";
import { SimSwarm, type SimPeer } from "../../src/sim/sim-swarm.ts";
import { MIB, withSeed } from "./judging.ts";

function kindTo({ run }: SimPeer, other: SimPeer): TransportKind | undefined {
  const { address } = other.node.host;
  const found = run.torrent
    .peers()
    .find(({ remote }) => remote.kind !== "webrtc" && remote.endpoint.address === address);
  return found?.remote.kind;
}

test(
  "BEP 55: whom nobody elsewhere has called prefers uTP, so that a peer that knows its port can introduce it",
  withSeed(554, async (seed) => {
    const swarm = new SimSwarm({ seed, size: MIB });
    const transports = ["tcp", "utp"] as const;
    const join = (address: string) =>
      swarm.joinLeecher({ transports, address, opensRouters: true });
    const [first, second, third] = [
      await join("9.0.1.1"),
      await join("9.0.2.1"),
      await join("9.0.3.1"),
    ];
    const near = await join("10.0.0.9");
    swarm.simulation.runFor(100);
    const dial = (from: SimPeer, to: SimPeer): TransportKind | undefined => {
      from.run.torrent.addPeers([to.node.address]);
      assert.ok(swarm.simulation.runUntil(() => kindTo(from, to) !== undefined, 5_000));
      return kindTo(from, to);
    };
    assert.equal(dial(first, near), "tcp", "no router is between them");
    assert.equal(dial(first, second), "utp");
    assert.equal(dial(second, third), "tcp", "the first has called it");
    assert.equal(dial(third, near), "tcp");
  }),
);
