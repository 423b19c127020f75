import assert from "node:assert/strict";
import { test } from "node:test";
import type { PeerList } from "../../src/api/peers.ts";
import { tcpAddress } from "../../src/base/peer-address.ts";
import type { EverseedPeers } from "../../src/publish/everseed.ts";
import { HOST, hubWorld } from "./hub-world.ts";

const peer: EverseedPeers["peers"][number] = {
  remote: tcpAddress({ address: "2620:fe::5", port: 6881 }),
  incoming: true,
  source: "incoming",
  encryption: "rc4",
  client: "a\u001b[2J client",
  piecesHeld: 0,
  amChoking: true,
  amInterested: false,
  peerChoking: true,
  peerInterested: true,
  snubbed: false,
  uploaded: 5,
  downloaded: 6,
  uploadBytesPerSecond: 0,
  downloadBytesPerSecond: 0,
};

test("administrators see a torrent's peers, the fastest first: over what, from where, how fast", async (t) => {
  const world = await hubWorld(t);
  const id = await world.publish({ a: new Uint8Array(70_000) });
  const headers = await world.program("admin");
  const ask = async (): Promise<PeerList> => {
    const response = await world.call(`/api/v1/torrents/${id}/peers`, { headers });
    assert.equal(response.status, 200);
    return (await response.json()) as PeerList;
  };
  assert.deepEqual(await ask(), { cause: null, peers: [] }, "it sleeps");
  const fast = {
    ...peer,
    remote: tcpAddress({ address: "192.0.2.7", port: 51413 }),
    encryption: undefined,
    source: "dht" as const,
    piecesHeld: 1e6,
    peerInterested: false,
    downloadBytesPerSecond: 9,
  };
  world.everseedPeers.now = { peers: [peer, fast], slowness: "all-choke" };
  const { cause, peers } = await ask();
  assert.equal(cause, "all-choke");
  assert.deepEqual(
    peers.map(({ address, encryption, source, progress, wants, waits }) => [
      address,
      encryption,
      source,
      progress,
      wants,
      waits,
    ]),
    [
      ["192.0.2.7:51413", "none", "dht", 1, false, false],
      ["[2620:fe::5]:6881", "rc4", "incoming", 0, true, true],
    ],
  );
  assert.equal(peers[1]?.client, peer.client, "JSON keeps what pages escape");
});

test("the page of a torrent shows its peers to administrators only", async (t) => {
  const world = await hubWorld(t);
  const id = await world.publish({ a: new Uint8Array([1]) });
  world.everseedPeers.now = { peers: [peer], slowness: undefined };
  const shown = async (headers: Record<string, string>) => {
    const { model } = await world.page(`/t/${id}/talks`, { headers });
    assert.ok(model.kind === "torrent");
    return model.peers;
  };
  assert.equal(await shown({}), null);
  assert.equal(await shown(await world.program("publish")), null, "a stolen token sees no peers");
  const own = await shown({ cookie: await world.signIn(), origin: `http://${HOST}` });
  assert.deepEqual(
    own?.peers.map(({ address }) => address),
    ["[2620:fe::5]:6881"],
  );
});
