import assert from "node:assert/strict";
import { test } from "node:test";
import { fromLatin1 } from "../../src/base/bytes.ts";
import { formatAddress } from "../../src/base/endpoint.ts";
import { encodeContacts } from "../../src/dht/contact.ts";
import { encodeQuery, encodeReply } from "../../src/dht/encode-krpc.ts";
import { type PeerSearchResult, searchPeers } from "../../src/dht/peer-search.ts";
import { DhtWorld } from "./dht-world.ts";

const SECONDS = 5;
const PACKETS_PER_SECOND = 5000;
const PORT = 7000;

test("DHT-1, DHT-2, DHT-3: a node that is flooded finds peers, announces, and reads little of the flood", (t) => {
  const world = new DhtWorld({ seed: 11 });
  const { simulation, datagrams, random } = world;
  const first = world.join();
  for (let i = 0; i < 20; i += 1) world.join({ bootstrap: [first.endpoint] });
  simulation.runFor(60_000);
  const [victim, other] = [...world.machines].slice(5, 7);
  const begin = victim!.dht.status().families[0]!;

  const T = fromLatin1("tt");
  const id = random.bytes(20);
  const infohash = random.bytes(20);
  const token = random.bytes(8);
  const results = { id, token, nodes: encodeContacts([{ id, endpoint: other!.endpoint }], 4) };
  const query = (method: string, args: Record<string, Uint8Array | number>): Uint8Array =>
    encodeQuery({ transaction: T, method, args: { id, ...args }, readOnly: false });
  const packets = [
    query("get_peers", { info_hash: infohash }),
    query("announce_peer", { info_hash: infohash, port: 1, token }),
    encodeReply({ transaction: T, results, to: victim!.endpoint }),
  ];
  const send = (): void => {
    for (let i = 0; i < PACKETS_PER_SECOND / 100; i += 1) {
      // Each from an address of its own.
      const address = formatAddress(random.bytes(4).fill(11 + random.below(80), 0, 1));
      datagrams.forge(packets[i % packets.length]!, { address, port: 6881 }, victim!.endpoint);
    }
  };
  for (let ms = 0; ms < SECONDS * 1000; ms += 10) simulation.startTimer(ms, send);

  // It announces under the flood, and somebody else finds that.
  const target = world.target();
  const announce = { port: PORT, isPortImplied: false, seed: true };
  const onPeers = (): void => undefined;
  const told = world.wait<PeerSearchResult>((onDone) =>
    searchPeers(victim!.dht, { infohash: target, announce, onPeers, onDone }),
  );
  assert.ok(told.announcedTo >= 7, `${told.announcedTo} nodes`);
  const found: string[] = [];
  world.wait<PeerSearchResult>((onDone) =>
    searchPeers(other!.dht, {
      infohash: target,
      onPeers: (peers) => found.push(...peers.map(({ address }) => address)),
      onDone,
    }),
  );
  assert.deepEqual(found, [victim!.endpoint.address]);
  simulation.runFor(SECONDS * 1000);

  const end = victim!.dht.status().families[0]!;
  const answered = end.queriesAnswered - begin.queriesAnswered;
  const sent = end.sentBytes - begin.sentBytes;
  const read = end.packetsRead - begin.packetsRead;
  const flood = SECONDS * PACKETS_PER_SECOND;
  t.diagnostic(`${flood} packets: ${read} read, ${answered} answers of ${sent} bytes in all`);
  // Two seconds of answers may be saved up.
  assert.ok(sent < (SECONDS + 2) * 50_000 + 20_000, `${sent} bytes`);
  assert.ok(read < (SECONDS + 2) * 1000 + 1000, `${read} packets were read`);
  assert.equal(end.good, begin.good, "nobody of the flood is in the table");
});
