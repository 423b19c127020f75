import assert from "node:assert/strict";
import { test } from "node:test";
import { tcpAddress } from "../../src/base/peer-address.ts";
import type { PeerSource } from "../../src/engine/session-contract.ts";
import { makeSimTorrent } from "../../src/sim/sim-torrent.ts";
import { SimSwarm } from "../../src/sim/sim-swarm.ts";
import type { StreamHandler } from "../../src/ports/net.ts";

const TORRENTS = 200;
const DEAF: StreamHandler = {
  handleOpen: () => undefined,
  handleBytes: () => undefined,
  handleSent: () => undefined,
  handleClose: () => undefined,
};

/** Offers these ports of one machine as found in the DHT, again every ten seconds. */
function liar(swarm: SimSwarm, address: string, ports: readonly number[]): PeerSource {
  return {
    kind: "dht",
    attach: (view) => {
      let isOver = false;
      const offer = (): void => {
        if (isOver) return;
        view.offerPeers(ports.map((port) => tcpAddress({ address, port })));
        swarm.simulation.startTimer(10_000, offer);
      };
      swarm.simulation.startTimer(0, offer);
      return {
        handleMetadata: () => undefined,
        handleComplete: () => undefined,
        detach: async () => void (isOver = true),
      };
    },
  };
}

test("DHT-8: a liar names one victim for 200 torrents, and the victim sees a handful of dials", async () => {
  const swarm = new SimSwarm({ seed: 81, size: 16 * 1024 });
  const node = await swarm.join();
  const victim = swarm.net.createHost("172.16.9.9", {
    upBytesPerSecond: 1e6,
    downBytesPerSecond: 1e6,
    latencyMs: 10,
  });
  let dials = 0;
  const ports = [25, 443, 6881, 8080, 9000];
  for (const port of ports) {
    await victim.listen({
      host: victim.address,
      port,
      // It takes the call and understands nothing.
      accept: () => {
        dials += 1;
        return DEAF;
      },
    });
  }
  for (let index = 0; index < TORRENTS; index += 1) {
    const made = makeSimTorrent({
      random: swarm.random,
      name: `torrent ${index}`,
      size: 16 * 1024,
      pieceLength: 16 * 1024,
      kind: "v1",
    });
    node.leech(made, { sources: [liar(swarm, victim.address, ports)] });
  }
  swarm.simulation.runFor(600_000);
  assert.ok(dials > 0, "it is dialled at all");
  assert.ok(dials <= 12, `${dials} dials in ten minutes`);
});

test("DHT-8: a victim that seeds one of the torrents is still reached for it", async () => {
  const swarm = new SimSwarm({ seed: 82, size: 64 * 1024 });
  const seed = await swarm.joinSeed();
  const node = await swarm.join();
  const source = liar(swarm, seed.node.host.address, [6881]);
  for (let index = 0; index < 12; index += 1) {
    const made = makeSimTorrent({
      random: swarm.random,
      name: `torrent ${index}`,
      size: 16 * 1024,
      pieceLength: 16 * 1024,
      kind: "v1",
    });
    node.leech(made, { sources: [source] });
  }
  const run = node.leech(swarm.made, { sources: [source] });
  const isDone = (): boolean => run.torrent.state.kind === "seeding";
  assert.ok(swarm.simulation.runUntil(isDone, 60 * 60_000));
});
