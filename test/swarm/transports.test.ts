import assert from "node:assert/strict";
import { test } from "node:test";
import { banKey, type PeerAddress, type TransportKind } from "../../src/base/peer-address.ts";
import { SimSwarm, type SimPeer } from "../../src/sim/sim-swarm.ts";
import { MESSAGE } from "../../src/wire/message-id.ts";
import { frames } from "../hostile/raw-peer.ts";
import { assertWhole, bannedBy, MIB, withSeed } from "./judging.ts";
import { hostOf, infohashOf, ScriptedPeer } from "./scripted-peer.ts";

const BLOCK = 16 * 1024;

function kindsOf({ run }: SimPeer): Set<TransportKind> {
  return new Set(run.torrent.peers().map(({ remote }) => remote.kind));
}

/** Whether a connection to the address, or to any of its ports, is there now. */
function hasPeer({ run }: SimPeer, banned: string): boolean {
  return run.torrent.peers().some(({ remote }) => banKey(remote) === banned);
}

/** Writes down whom the machine dials from now on. */
function watchDials({ node }: SimPeer): PeerAddress[] {
  const dials: PeerAddress[] = [];
  const dial = node.host.dial.bind(node.host);
  node.host.dial = (remote, handler, options) => {
    dials.push(remote);
    return dial(remote, handler, options);
  };
  return dials;
}

for (const kind of ["webrtc", "utp"] as const) {
  test(
    `peers that have nothing but ${kind} addresses get a torrent from each other`,
    withSeed(120, async (seed) => {
      const swarm = new SimSwarm({ seed, size: 2 * MIB });
      const transports = [kind] as const;
      const first = await swarm.joinSeed({ transports });
      const leechers = await swarm.joinLeechers(3, { transports });
      swarm.introduce([first, ...leechers]);
      const allMet = (): boolean =>
        [first, ...leechers].every(({ run }) => run.torrent.peers().length === 3);
      assert.ok(swarm.simulation.runUntil(allMet, 10_000));
      assert.deepEqual([...kindsOf(first)], [kind], "who calls comes by the transport of the call");
      const remotes = new Set(first.run.torrent.peers().map(({ remote }) => banKey(remote)));
      assert.deepEqual(remotes, new Set(leechers.map(({ node }) => banKey(node.address))));
      for (const leecher of leechers) assert.deepEqual([...kindsOf(leecher)], [kind]);
      assert.ok(swarm.runUntilComplete(leechers, 60_000) !== undefined);
      for (const leecher of leechers) assertWhole(swarm, leecher);
    }),
  );

  test(
    `WIR-12: who lies over ${kind} is banned, and is neither dialled nor let in again`,
    withSeed(121, async (seed) => {
      const swarm = new SimSwarm({ seed, size: 4 * MIB });
      const transports = [kind] as const;
      const honest = await swarm.joinSeed({ transports });
      const liar = await swarm.joinSeed({ transports });
      liar.node.disk.lies = () => true;
      const leecher = await swarm.joinLeecher({ transports });
      swarm.introduce([honest, liar, leecher]);
      assert.ok(swarm.runUntilComplete([leecher], 120_000) !== undefined);
      assertWhole(swarm, leecher);
      assert.deepEqual(bannedBy(leecher), new Set([banKey(liar.node.address)]));
      const dials = watchDials(leecher);
      const called = watchDials(liar);
      leecher.run.torrent.addPeers([liar.node.address]);
      liar.run.torrent.addPeers([leecher.node.address]);
      // At each event: two seeds part as soon as they know each other.
      const isIn = (): boolean => hasPeer(leecher, banKey(liar.node.address));
      assert.ok(!swarm.simulation.runUntil(isIn, 60_000), "not let in");
      assert.deepEqual(dials.map(banKey), [], "not dialled");
      assert.ok(called.length > 0, "it tried");
    }),
  );
}

test(
  "WIR-13: who was banned over TCP is not dialled over uTP, nor let in",
  withSeed(122, async (seed) => {
    const swarm = new SimSwarm({ seed, size: 2 * MIB });
    const transports = ["tcp", "utp"] as const;
    const liar = await swarm.joinSeed({ transports });
    liar.node.disk.lies = () => true;
    const leecher = await swarm.joinLeecher({ transports });
    const honest = await swarm.joinSeed({ transports });
    swarm.introduce([liar, leecher]);
    leecher.run.torrent.addPeers([honest.node.address]);
    const isBanned = (): boolean => bannedBy(leecher).size > 0;
    assert.ok(swarm.simulation.runUntil(isBanned, 60_000));
    assert.deepEqual(bannedBy(leecher), new Set([liar.node.host.address]));
    const dials = watchDials(leecher);
    leecher.run.torrent.addPeers([
      liar.node.addressOver("utp"),
      liar.node.host.addressOf("utp", 7000),
    ]);
    liar.run.torrent.addPeers([leecher.node.addressOver("utp")]);
    const isIn = (): boolean => hasPeer(leecher, liar.node.host.address);
    assert.ok(!swarm.simulation.runUntil(isIn, 60_000), "not let in");
    const dialled = dials.filter((address) => banKey(address) === liar.node.host.address);
    assert.deepEqual(dialled, []);
  }),
);

test(
  "WIR-20: peers that one introducer names share the connections of one network",
  withSeed(123, async (seed) => {
    const swarm = new SimSwarm({ seed, size: MIB });
    const transports = ["webrtc", "tcp"] as const;
    const settings = { connectionsPerNetworkMax: 4 };
    const first = await swarm.joinSeed({ transports, settings });
    swarm.simulation.runFor(100);
    const callers = Array.from({ length: 10 }, (_, index) =>
      new ScriptedPeer({ infohash: infohashOf(swarm) }).dial(
        hostOf(swarm, index + 1),
        first.node.address,
      ),
    );
    swarm.simulation.runFor(2_000);
    assert.equal(callers.filter(({ isClosed }) => !isClosed).length, 4);
    // Those of another network are not concerned.
    const other = new ScriptedPeer({ infohash: infohashOf(swarm) }).dial(
      hostOf(swarm, 11),
      first.node.addressOver("tcp"),
    );
    swarm.simulation.runFor(2_000);
    assert.equal(other.isClosed, false);
    assert.equal(first.run.torrent.peers().length, 5);
  }),
);

test(
  "the same port over TCP and uTP is one peer, dialled both ways at once, and connected once",
  withSeed(124, async (seed) => {
    const swarm = new SimSwarm({ seed, size: MIB });
    const first = await swarm.joinSeed({ transports: ["tcp", "utp"] });
    const deaf = await swarm.joinSeed({ transports: ["utp"] });
    const leecher = await swarm.joinLeecher({ transports: ["tcp", "utp"] });
    swarm.simulation.runFor(100);
    const dials = watchDials(leecher);
    for (const { node } of [first, deaf]) {
      leecher.run.torrent.addPeers([node.addressOver("tcp"), node.addressOver("utp")]);
    }
    assert.equal(leecher.run.torrent.stats().knownPeers, 2);
    assert.ok(swarm.runUntilComplete([leecher], 60_000) !== undefined);
    assertWhole(swarm, leecher);
    assert.equal(leecher.run.torrent.stats().knownPeers, 2);
    const ofDeaf = dials.filter((address) => banKey(address) === deaf.node.host.address);
    assert.ok(ofDeaf.length <= 2, `${ofDeaf.length}: what opens over one transport is enough`);
    assert.ok(deaf.run.torrent.stats().uploaded > 0, "it was reached although TCP was refused");
    assert.equal(dials.length, 2 + ofDeaf.length, "no way waited for another to fail");
  }),
);

test(
  "a session without WebRTC does not remember WebRTC peers",
  withSeed(125, async (seed) => {
    const swarm = new SimSwarm({ seed, size: MIB });
    const leecher = await swarm.joinLeecher();
    swarm.simulation.runFor(100);
    leecher.run.torrent.addPeers([leecher.node.addressOver("webrtc")]);
    swarm.simulation.runFor(1_000);
    assert.equal(leecher.run.torrent.stats().knownPeers, 0);
  }),
);

test(
  "a peer without an IP address is allowed no pieces while it is choked (BEP 6), one with an address is",
  withSeed(126, async (seed) => {
    const swarm = new SimSwarm({ seed, size: 2 * MIB, pieceLength: 2 * BLOCK });
    const transports = ["tcp", "webrtc"] as const;
    const first = await swarm.joinSeed({
      transports,
      settings: { uploadSlots: 1, upBytesPerSecond: 1_000 },
    });
    swarm.simulation.runFor(100);
    const allowed = { tcp: 0, webrtc: 0 };
    const call = (number: number, kind: keyof typeof allowed, count: () => void): void => {
      new ScriptedPeer({
        infohash: infohashOf(swarm),
        ready: (peer) =>
          peer.send(frames.signal(MESSAGE.haveNone), frames.signal(MESSAGE.interested)),
        allowedFast: count,
      }).dial(hostOf(swarm, number), first.node.addressOver(kind));
    };
    // These take the slot, and the one of chance: the others have to wait.
    call(1, "tcp", () => undefined);
    call(4, "tcp", () => undefined);
    swarm.simulation.runFor(1_000);
    call(2, "tcp", () => (allowed.tcp += 1));
    call(3, "webrtc", () => (allowed.webrtc += 1));
    swarm.simulation.runFor(5_000);
    assert.ok(allowed.tcp > 0);
    assert.equal(allowed.webrtc, 0);
  }),
);
