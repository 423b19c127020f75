import assert from "node:assert/strict";
import { test } from "node:test";
import { EngineError } from "../../src/engine/engine-error.ts";
import type { Connection, ConnectionOwner, ConnectionSink } from "../../src/engine/peer-owner.ts";
import { SimSwarm } from "../../src/sim/sim-swarm.ts";
import { writeHave, writeRequest } from "../../src/wire/encode-messages.ts";
import { withSeed } from "./judging.ts";
import { hostOf, infohashOf, ScriptedPeer } from "./scripted-peer.ts";

const SHARE = new Uint8Array(20).fill(0x5a);
const FLAGS = { extended: false, fast: true, dht: false, v2: false };

/** An owner that is not a torrent: it records what its peers send. */
class Share {
  readonly log: string[] = [];
  readonly bounds = { wanted: 5, served: 9 };
  readonly connections: Connection[] = [];
  readonly owner: ConnectionOwner = {
    peerId: new Uint8Array(20).fill(7),
    flags: FLAGS,
    accepts: () => true,
    answerTo: (infohash) => infohash,
  };

  admit(connection: Connection): ConnectionSink | undefined {
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
      handleOutput: () => undefined,
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
  const end = node.session.route(SHARE, share);
  let hosts = 0;
  const call = (...messages: Uint8Array[]): ScriptedPeer => {
    const peer = new ScriptedPeer({ infohash: SHARE, ready: (each) => each.send(...messages) });
    peer.dial(hostOf(swarm, (hosts += 1)), node.endpoint);
    swarm.simulation.runFor(1_000);
    return peer;
  };
  return { swarm, node, share, end, call };
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
    const { swarm, node, share, end, call } = await world(seed);
    for (const infohash of [SHARE, infohashOf(swarm)]) {
      assert.throws(() => node.session.route(infohash, share), EngineError);
    }
    end();
    assert.ok(call().isClosed);
    assert.deepEqual(share.log, []);
    node.session.route(SHARE, share);
    assert.ok(!call().isClosed);
  }),
);
