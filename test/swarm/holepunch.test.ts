import assert from "node:assert/strict";
import { test } from "node:test";
import { ipOf, type PeerAddress } from "../../src/base/peer-address.ts";
import type { ExtensionKind, ExtensionPeer } from "../../src/engine/extension.ts";
import { swarmExtensions } from "../../src/pex/swarm-extensions.ts";
import type { PeerTransport } from "../../src/ports/net.ts";
import { seededRandom } from "../../src/sim/seeded-random.ts";
import { simDatagramNet } from "../../src/sim/sim-datagram-net.ts";
import { SimDatagrams, type SimDatagramSocket } from "../../src/sim/sim-datagrams.ts";
import { SimRouter, type SimRouterOptions } from "../../src/sim/sim-router.ts";
import { SimSwarm, type SimPeer } from "../../src/sim/sim-swarm.ts";
import { UtpTransport } from "../../src/utp/utp-transport.ts";
import { encodeHolepunch, UT_HOLEPUNCH } from "../../src/wire/ut-holepunch.ts";
import { assertWhole, withSeed } from "./judging.ts";

const [exchange, holepunch] = swarmExtensions({
  judgePeers: (peers) => peers,
  opensRouters: true,
}) as readonly [ExtensionKind, ExtensionKind];
const transports = ["tcp", "utp"] as const;
/** Whoever stands in the middle does not pass the content on: it would take hours. */
const SLOW = { downBytesPerSecond: 64, upBytesPerSecond: 64 };

const VICTIM = "9.9.9.9";

type RouterKind = Pick<SimRouterOptions, "kind" | "keepsPorts">;

/** A relay in the open, and two peers behind a router each, which know the relay and nobody else. */
async function world(
  seed: number,
  [forSeed, forLeecher]: readonly [RouterKind, RouterKind],
  ofRelay: readonly ExtensionKind[] = [exchange, holepunch],
) {
  const swarm = new SimSwarm({ seed, size: 256 * 1024 });
  const { simulation } = swarm;
  const random = seededRandom(seed);
  const datagrams = new SimDatagrams({ simulation, random, latencyMs: 20, lossPerMille: 0 });
  const dialled: PeerAddress[] = [];
  const utp = (ways: Pick<SimDatagrams, "open">): PeerTransport<"utp"> => {
    const made = new UtpTransport({
      datagrams: simDatagramNet(simulation, ways),
      clock: simulation,
      random,
      allowRemote: (remote) => {
        dialled.push({ kind: "utp", endpoint: remote });
        return true;
      },
    });
    return made;
  };
  const routers = [
    new SimRouter({ simulation, datagrams, address: "9.9.9.1", ...forSeed }),
    new SimRouter({ simulation, datagrams, address: "9.9.9.2", ...forLeecher }),
  ] as const;
  const join = (ways: Pick<SimDatagrams, "open">, settings = {}) =>
    swarm.join({ transports, utp: () => utp(ways), settings });
  const relay = await join(datagrams, SLOW);
  relay.leech(swarm.made, { extensions: ofRelay });
  const behind = [await join(routers[0]), await join(routers[1])] as const;
  // One who is told of nobody, so that they do not happen to call each other at the same time.
  const source = { node: behind[0], run: behind[0].seed(swarm.made, { extensions: [holepunch] }) };
  const leecher = {
    node: behind[1],
    run: behind[1].leech(swarm.made, { extensions: [exchange, holepunch] }),
  };
  simulation.runFor(100);
  for (const { run } of [source, leecher]) {
    run.torrent.addPeers([relay.addressOver("utp")]);
  }
  const callsTo = (ip: string): number => dialled.filter((each) => ipOf(each) === ip).length;
  return { swarm, simulation, routers, source, leecher, callsTo };
}

function addressesOf({ run }: SimPeer): (string | undefined)[] {
  return run.torrent.peers().map(({ remote }) => ipOf(remote));
}

const KINDS: readonly (readonly [name: string, RouterKind, RouterKind])[] = [
  [
    "keep the numbers of ports",
    { kind: "cone", keepsPorts: true },
    { kind: "cone", keepsPorts: true },
  ],
  [
    "show each port as another",
    { kind: "cone", keepsPorts: false },
    { kind: "cone", keepsPorts: false },
  ],
];

for (const [name, ...kinds] of KINDS) {
  test(
    `BEP 55: two peers behind routers that ${name} are introduced, connect over uTP and exchange pieces`,
    withSeed(551, async (seed) => {
      const { swarm, simulation, routers, leecher, source } = await world(seed, kinds);
      const areMet = (): boolean => addressesOf(leecher).includes("9.9.9.1");
      assert.ok(simulation.runUntil(areMet, 10_000), "they meet within ten seconds");
      const { refused } = routers[0];
      assert.equal(refused > 0, kinds[0].keepsPorts, "whoever calls its port alone is not let in");
      assert.ok(swarm.runUntilComplete([leecher], 60_000) !== undefined);
      assertWhole(swarm, leecher);
      assert.ok(source.run.torrent.stats().uploaded >= swarm.made.bytes.length - 64 * 60);
    }),
  );
}

test(
  "with a relay that names them and introduces nobody they never meet",
  withSeed(552, async (seed) => {
    const routers = [KINDS[0]![1], KINDS[0]![2]] as const;
    const { simulation, leecher, callsTo } = await world(seed, routers, [exchange]);
    simulation.runFor(600_000);
    assert.deepEqual(addressesOf(leecher), ["10.0.1.1"]);
    assert.ok(callsTo("9.9.9.1") > 1, "it is called");
  }),
);

for (const other of ["symmetric", "cone"] as const) {
  test(
    `BEP 55: a symmetric router and a ${other} one let nothing through, and both sides try a bounded number of times`,
    withSeed(553, async (seed) => {
      const { simulation, leecher, callsTo } = await world(seed, [
        { kind: "symmetric", keepsPorts: false },
        { kind: other, keepsPorts: false },
      ]);
      simulation.runFor(3_600_000);
      const first = [callsTo("9.9.9.1"), callsTo("9.9.9.2")];
      assert.ok(!addressesOf(leecher).includes("9.9.9.1"));
      for (const calls of first) assert.ok(calls >= 4 && calls <= 18, `${first.join(" ")} calls`);
      simulation.runFor(3_600_000);
      const second = [callsTo("9.9.9.1") - first[0]!, callsTo("9.9.9.2") - first[1]!];
      for (const calls of second) assert.ok(calls <= 10, `${second.join(" ")} calls later`);
    }),
  );
}

test(
  "WIR-11: a relay that introduces us to a victim all the time, at ever new ports, has us send it a packet a minute",
  withSeed(555, async (seed) => {
    const swarm = new SimSwarm({ seed, size: 256 * 1024 });
    const { simulation } = swarm;
    const random = seededRandom(seed);
    const datagrams = new SimDatagrams({ simulation, random, latencyMs: 20, lossPerMille: 0 });
    let sent = 0;
    const counted: Pick<SimDatagrams, "open"> = {
      open: (local, receive) => {
        const socket = datagrams.open(local, receive);
        const send: SimDatagramSocket["send"] = (packet, to) => {
          if (to.address === VICTIM) sent += packet.length;
          socket.send(packet, to);
        };
        return { ...socket, send };
      },
    };
    const utp = (ways: Pick<SimDatagrams, "open">) => () =>
      new UtpTransport({
        datagrams: simDatagramNet(simulation, ways),
        clock: simulation,
        random,
        allowRemote: () => true,
      });
    const liar = await swarm.join({ transports, utp: utp(datagrams) });
    const node = await swarm.join({ transports, utp: utp(counted) });
    liar.leech(swarm.made, { extensions: [introducingTo(VICTIM)] });
    const { torrent } = node.leech(swarm.made, { extensions: [exchange, holepunch] });
    simulation.runFor(100);
    torrent.addPeers([liar.addressOver("utp")]);
    simulation.runFor(3_600_000);
    assert.equal(torrent.peers().length, 1, "the liar is connected");
    assert.ok(sent > 0, "it is believed");
    assert.ok(sent <= 60 * 20, `${sent} bytes in an hour`);
  }),
);

/** Introduces everybody to another port of the address twice a second. */
function introducingTo(address: string): ExtensionKind {
  const peers = new Set<ExtensionPeer>();
  let port = 1024;
  return {
    name: UT_HOLEPUNCH,
    inPrivate: false,
    create: () => ({
      join: (peer) => void peers.add(peer),
      leave: (peer) => void peers.delete(peer),
      handleMessage: () => undefined,
      tick: () => {
        port += 1;
        const payload = encodeHolepunch({ kind: "connect", endpoint: { address, port }, error: 0 });
        for (const peer of peers) peer.send(payload);
      },
    }),
  };
}
