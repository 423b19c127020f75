import assert from "node:assert/strict";
import { test } from "node:test";
import { formatPeerAddress, type PeerAddress, tcpAddress } from "../../src/base/peer-address.ts";
import { EngineError } from "../../src/engine/engine-error.ts";
import type { Connection, ConnectionOwner, ConnectionSink } from "../../src/engine/peer-owner.ts";
import type { StreamHandler } from "../../src/ports/net.ts";
import { SimSwarm } from "../../src/sim/sim-swarm.ts";
import { writeHave, writeRequest } from "../../src/wire/encode-messages.ts";
import { withSeed } from "./judging.ts";
import { hostOf, infohashOf, listenAs, ScriptedPeer } from "./scripted-peer.ts";

const SHARE = new Uint8Array(20).fill(0x5a);
const FLAGS = { extended: false, fast: true, dht: false, v2: false };

/** Accepts a connection and sends nothing. */
const MUTE: StreamHandler = {
  handleOpen: () => undefined,
  handleBytes: () => undefined,
  handleSent: () => undefined,
  handleClose: () => undefined,
};

/** An owner that is not a torrent: it records what its peers send. */
class Share {
  readonly log: string[] = [];
  /** Decides when and whether peers that dial us are accepted; without it they are accepted at once. */
  answer: Promise<boolean> | undefined;
  readonly bounds = { wanted: 5, served: 9 };
  readonly connections: Connection[] = [];
  readonly owner: ConnectionOwner = {
    peerId: new Uint8Array(20).fill(7),
    flags: FLAGS,
    accepts: () => true,
    answerTo: (infohash) => infohash,
  };

  admit(connection: Connection): ConnectionSink | Promise<ConnectionSink | undefined> {
    const sink = this.adopt(connection);
    return this.answer ? this.answer.then((takes) => (takes ? sink : undefined)) : sink;
  }

  adopt(connection: Connection): ConnectionSink {
    this.connections.push(connection);
    const note =
      (word: string) =>
      (...numbers: unknown[]) =>
        void this.log.push(
          [word, ...numbers.filter((each) => typeof each !== "boolean")].join(" "),
        );
    const sink: Partial<ConnectionSink> = {
      owner: this.owner,
      bounds: this.bounds,
      numbering: "open",
      handleReady: () => {
        this.log.push("ready");
        return undefined;
      },
      handleClosed: note("closed"),
      handleHave: note("have"),
      handleRequest: note("request"),
      handleSent: () => undefined,
      handleGathered: () => undefined,
      settle: () => connection.out.flush(),
    };
    return sink as ConnectionSink;
  }
}

const have = (piece: number): Uint8Array => {
  const bytes = new Uint8Array(9);
  writeHave(bytes, 0, piece);
  return bytes;
};
const request = (piece: number): Uint8Array => {
  const bytes = new Uint8Array(17);
  writeRequest(bytes, 0, { piece, begin: 0, length: 1 });
  return bytes;
};

async function world(seed: number) {
  const swarm = new SimSwarm({ seed, size: 64 * 1024 });
  const { node } = await swarm.joinSeed({ settings: { connectionsMax: 8 } });
  const share = new Share();
  const route = node.session.route(SHARE, share);
  let hosts = 0;
  const call = (...messages: Uint8Array[]): ScriptedPeer => {
    const peer = new ScriptedPeer({ infohash: SHARE, ready: (each) => each.send(...messages) });
    peer.dial(hostOf(swarm, (hosts += 1)), node.address);
    swarm.simulation.runFor(1_000);
    return peer;
  };
  return { swarm, node, share, route, call };
}

test(
  "an owner that is not a torrent gets the peers that ask for it, within its own bounds",
  withSeed(98, async (seed) => {
    const { swarm, share, call } = await world(seed);
    const peer = call(have(4), request(8));
    assert.deepEqual(share.log, ["ready", "have 4", "request 8 0 1"]);
    share.bounds.wanted = 1_000_000;
    peer.send(have(999_999), have(999_999));
    swarm.simulation.runFor(1_000);
    assert.deepEqual(share.log.splice(3), ["have 999999", "have 999999"]);
    peer.send(request(9));
    swarm.simulation.runFor(1_000);
    assert.match(share.log.at(-1)!, /^closed .*piece 9 of 9/);
    assert.ok(peer.isClosed);
    assert.ok(share.connections[0]!.misbehaved);
  }),
);

test(
  "its connections count until they have ended, and end with the session",
  withSeed(99, async (seed) => {
    const { node, share, call } = await world(seed);
    for (let i = 0; i < 20; i += 1) {
      const peer = call();
      assert.ok(!peer.isClosed, `the ${i}th is let in`);
      share.connections.at(-1)!.close("enough");
      peer.connection!.destroy();
    }
    const last = call();
    void node.session.close();
    assert.match(share.log.at(-1)!, /^closed the session ends/);
    assert.ok(!last.isClosed, "it hears of it later");
  }),
);

test(
  "an infohash has one owner, and none after the route has ended",
  withSeed(100, async (seed) => {
    const { swarm, node, share, route, call } = await world(seed);
    for (const infohash of [SHARE, infohashOf(swarm)]) {
      assert.throws(() => node.session.route(infohash, share), EngineError);
    }
    route.end();
    assert.ok(call().isClosed);
    assert.deepEqual(share.log, []);
    node.session.route(SHARE, share);
    assert.ok(!call().isClosed);
  }),
);

test(
  "an owner may take its time to admit a peer: nothing that arrives meanwhile is lost",
  withSeed(321, async (seed) => {
    const { swarm, share, call } = await world(seed);
    const answer = Promise.withResolvers<boolean>();
    share.answer = answer.promise;
    const peer = call();
    peer.send(have(3));
    swarm.simulation.runFor(1_000);
    assert.deepEqual(share.log, []);
    assert.ok(!peer.isClosed);
    answer.resolve(true);
    await settled();
    swarm.simulation.runFor(1_000);
    peer.send(have(4));
    swarm.simulation.runFor(1_000);
    assert.deepEqual(share.log, ["ready", "have 3", "have 4"]);
  }),
);

test(
  "a peer that an owner refuses late, or cannot take, is closed; when one left meanwhile its sink is told",
  withSeed(322, async (seed) => {
    const { swarm, share, call } = await world(seed);
    share.answer = Promise.resolve(false);
    const refused = call();
    await settled();
    swarm.simulation.runFor(1_000);
    assert.ok(refused.isClosed);
    share.answer = Promise.reject(new Error("no list of members"));
    const failed = call();
    await settled();
    swarm.simulation.runFor(1_000);
    assert.ok(failed.isClosed);
    assert.deepEqual(share.log, []);

    const answer = Promise.withResolvers<boolean>();
    share.answer = answer.promise;
    const left = call();
    left.connection!.destroy();
    swarm.simulation.runFor(1_000);
    answer.resolve(true);
    await settled();
    assert.deepEqual(share.log, ["closed the peer left while it waited"]);
    share.answer = undefined;
    for (let i = 0; i < 8; i += 1) assert.ok(!call().isClosed, "its place is free again");
  }),
);

test(
  "an owner must admit a peer within the time of a handshake",
  withSeed(323, async (seed) => {
    const { swarm, share, call } = await world(seed);
    share.answer = new Promise(() => undefined);
    const peer = call();
    swarm.simulation.runFor(12_000);
    assert.ok(peer.isClosed);
  }),
);

/** Lets pending promises continue. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
}

/** A machine that listens for the share, and counts the peers that dial it. */
async function listener(swarm: SimSwarm, number: number) {
  const { peers, ...remote } = await listenAs(hostOf(swarm, 100 + number), {
    infohash: SHARE,
    ready: (each) => each.send(have(number % 5)),
  });
  return { remote, peers };
}

test(
  "an owner dials: the peer meets it by its handshake, and talks to its sink",
  withSeed(324, async (seed) => {
    const { swarm, share, route } = await world(seed);
    const { remote, peers } = await listener(swarm, 2);
    route.dial({ remote, owner: share.owner, adopt: (connection) => share.adopt(connection) });
    assert.equal(share.connections.length, 0, "an owner is never called inside its own call");
    swarm.simulation.runFor(1_000);
    assert.deepEqual(share.log, ["ready", "have 2"]);
    assert.ok(!share.connections[0]!.incoming);
    share.connections[0]!.close("enough");
    swarm.simulation.runFor(1_000);
    assert.ok(peers[0]!.isClosed);
  }),
);

test(
  "dials of an owner keep the session's limits, and wait for room as its torrents' do",
  withSeed(325, async (seed) => {
    const { swarm, node, share, route } = await world(seed);
    const remotes: PeerAddress[] = [];
    for (let i = 0; i < 12; i += 1) remotes.push((await listener(swarm, i)).remote);
    const adopt = (connection: Connection): ConnectionSink => share.adopt(connection);
    const withdraw = remotes.map((remote) => route.dial({ remote, owner: share.owner, adopt }));
    swarm.simulation.runFor(3_000);
    assert.equal(share.connections.length, 8, "connectionsMax");
    withdraw[8]!();
    for (const connection of share.connections.slice(0, 4)) connection.close("enough");
    swarm.simulation.runFor(3_000);
    const dialled = share.connections.map(({ remote }) => formatPeerAddress(remote));
    assert.deepEqual(
      dialled.slice(8).sort(),
      [9, 10, 11].map((index) => formatPeerAddress(remotes[index]!)).sort(),
    );
    void node.session.close();
    assert.throws(
      () => route.dial({ remote: remotes[0]!, owner: share.owner, adopt }),
      EngineError,
    );
    assert.ok(share.connections.every(({ isOpen }) => !isOpen));
  }),
);

test(
  "an owner and a torrent take turns at half-open places, and peers that never answer free theirs",
  withSeed(326, async (seed) => {
    const swarm = new SimSwarm({ seed, size: 64 * 1024 });
    const { node, run } = await swarm.joinSeed({ settings: { halfOpenMax: 4 } });
    const share = new Share();
    const route = node.session.route(SHARE, share);
    swarm.simulation.runFor(200);
    const silent = await Promise.all(
      Array.from({ length: 40 }, async (_, index) => {
        const host = hostOf(swarm, 200 + index);
        const { local } = await host.listen({ host: host.address, port: 6881, accept: () => MUTE });
        return tcpAddress(local!);
      }),
    );
    run.torrent.addPeers(silent.slice(20));
    for (const remote of silent.slice(0, 20)) {
      route.dial({ remote, owner: share.owner, adopt: (connection) => share.adopt(connection) });
    }
    swarm.simulation.runFor(1_000);
    assert.ok(share.connections.length <= 4, "half open");
    swarm.simulation.runFor(120_000);
    const ended = share.log.filter((line) => line.startsWith("closed no handshake")).length;
    assert.ok(ended >= 6, `${ended} gave their places back`);
    assert.ok(ended <= 14, `${ended} of the owner, the torrent dials as well`);
  }),
);

test(
  "a peer that no transport of the session reaches is refused at once, and the session goes on",
  withSeed(328, async (seed) => {
    const { swarm, share, route, call } = await world(seed);
    const adopt = (connection: Connection): ConnectionSink => share.adopt(connection);
    const unreachable: readonly PeerAddress[] = [
      { kind: "webrtc", id: "somebody", via: "wss://tracker.example/" },
      tcpAddress({ address: "not an address", port: 1 }),
    ];
    for (const remote of unreachable) {
      assert.throws(() => route.dial({ remote, owner: share.owner, adopt }), {
        code: "unreachable",
      });
    }
    swarm.simulation.runFor(2_000);
    assert.equal(share.connections.length, 0);
    assert.ok(!call().isClosed, "others are let in");
  }),
);

test(
  "an owner that dials while a torrent gets addresses is not called inside that call either",
  withSeed(329, async (seed) => {
    const { swarm, share, route, node } = await world(seed);
    const { remote } = await listener(swarm, 3);
    const [torrent] = node.session.torrents();
    route.dial({ remote, owner: share.owner, adopt: (connection) => share.adopt(connection) });
    torrent!.addPeers([tcpAddress({ address: "172.20.0.9", port: 1 })]);
    assert.equal(share.connections.length, 0);
    swarm.simulation.runFor(1_000);
    assert.deepEqual(share.log, ["ready", "have 3"]);
  }),
);

test(
  "256 peers may wait to be dialled, and none after the route has ended",
  withSeed(327, async (seed) => {
    const { share, route } = await world(seed);
    const adopt = (connection: Connection): ConnectionSink => share.adopt(connection);
    const dial = (index: number): (() => void) => {
      const remote = tcpAddress({ address: `172.20.${index >> 8}.${index & 0xff}`, port: 1 });
      return route.dial({ remote, owner: share.owner, adopt });
    };
    for (let index = 0; index < 256; index += 1) dial(index);
    assert.throws(() => dial(500), { code: "too-many-dials" });
    route.end();
    assert.throws(() => dial(501), { code: "closed" });
  }),
);
