import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { setImmediate } from "node:timers/promises";
import { DhtService } from "../../src/dht/dht-service.ts";
import { NodeClock } from "../../src/platform/node-clock.ts";
import { NodeRandom } from "../../src/platform/node-random.ts";
import { NodeSignatures } from "../../src/platform/node-signatures.ts";
import { UdpNet } from "../../src/platform/udp-net.ts";
import { SILENT_LOG } from "../../src/ports/log.ts";
import { SessionDht } from "../../src/commands/one-shot-dht.ts";

const ports = {
  clock: new NodeClock(),
  random: new NodeRandom(),
  signatures: new NodeSignatures(),
  datagrams: new UdpNet(),
  log: SILENT_LOG,
  refusalOf: undefined,
};

async function startNode(t: TestContext): Promise<DhtService> {
  const listen = { host: "127.0.0.1", port: 0 };
  const service = await DhtService.start({ ...ports, listen, bootstrap: [] });
  t.after(() => service.close());
  return service;
}

/** The DHT of a session that knows no node, and the nodes that a torrent names. */
async function named(t: TestContext, nodes: readonly string[], isAllowed: boolean) {
  const service = await startNode(t);
  const dht = new SessionDht({
    ports,
    open: async () => ({ service, close: async () => undefined }),
    hasUtp: true,
    guard: {
      datagrams: ports.datagrams,
      judgePeers: (peers) => peers,
      allowPeer: () => isAllowed,
    },
  });
  const refused: string[] = [];
  const onRefused = (node: string): void => void refused.push(node);
  const sources = await dht.sources({ info: { private: false }, nodes, onRefused });
  assert.equal(sources.length, 1);
  return { service, dht, refused };
}

test("nodes that a torrent names lead into the network", async (t) => {
  const first = await startNode(t);
  const address = `127.0.0.1:${first.local.port}`;
  const { service, refused } = await named(t, ["no-such-host.invalid:1", address], true);
  const { promise, resolve } = Promise.withResolvers<void>();
  service.dht.search({
    target: new Uint8Array(20),
    method: "find_node",
    args: {},
    onReply: () => false,
    onDone: () => resolve(),
  });
  await promise;
  assert.equal(service.dht.isReached, true);
  assert.deepEqual(refused, []);
});

test("DHT-8: a node that a torrent names in our own network is not asked", async (t) => {
  const { dht, refused, service } = await named(t, ["127.0.0.1:9", "[::1]:9"], false);
  // Names that are addresses are resolved at once.
  for (let turns = 0; turns < 100 && refused.length < 2; turns += 1) await setImmediate();
  assert.deepEqual(refused, ["127.0.0.1:9", "[::1]:9"]);
  assert.equal(dht.ofPeers.port(), service.local.port);
});

test("DHT-7: for a private torrent the DHT is not even opened", async (t) => {
  const dht = new SessionDht({
    ports,
    open: () => assert.fail("it is opened"),
    hasUtp: true,
    guard: { datagrams: ports.datagrams, judgePeers: (peers) => peers, allowPeer: () => true },
  });
  t.after(() => dht.close());
  const onRefused = (): void => assert.fail("nothing is looked at");
  const sources = await dht.sources({ info: { private: true }, nodes: ["1.2.3.4:5"], onRefused });
  assert.deepEqual(sources, []);
  assert.equal(dht.ofPeers.port(), undefined);
});
