import assert from "node:assert/strict";
import { test } from "node:test";
import { formatEndpoint, parseEndpoint } from "../base/endpoint.ts";
import { formatPeerAddress, type PeerAddress, tcpAddress } from "../base/peer-address.ts";
import type { ExtensionPeer } from "../engine/extension.ts";
import { UT_HOLEPUNCH } from "../wire/ut-holepunch.ts";
import { decodePex, encodePex, PEX_FLAG, UT_PEX } from "../wire/ut-pex.ts";
import { peerExchange } from "./peer-exchange.ts";

const [A, B, C, D] = ["9.9.9.1:6881", "9.9.9.2:6881", "9.9.9.3:6881", "9.9.9.4:6881"] as const;
const { utp, holepunch, reachable, seed } = PEX_FLAG;

function place(words: string) {
  return parseEndpoint(words)!;
}

function world() {
  const offered: string[] = [];
  const retracted: string[] = [];
  const extension = peerExchange({
    judgePeers: (peers) => peers.filter((peer) => formatEndpoint(peer) !== D),
  }).create({
    infohashes: { v1: new Uint8Array(20), v2: undefined },
    isInfoKnown: true,
    offerPeers: (addresses, _by, how) => {
      const words = how?.introduces === true ? " introduces" : "";
      for (const each of addresses) offered.push(`${formatPeerAddress(each)}${words}`);
    },
    retractPeers: (addresses) => void retracted.push(...addresses.map(formatPeerAddress)),
  });
  const join = (address: PeerAddress, more: Partial<ExtensionPeer> = {}) => {
    const sent: Uint8Array[] = [];
    const peer: ExtensionPeer = {
      address,
      reachableAt: address,
      incoming: false,
      isSeed: false,
      uploadOnly: false,
      isEncrypted: false,
      accepts: (name) => name === UT_PEX,
      send: (payload) => sent.push(payload) > 0,
      close: () => undefined,
      ...more,
    };
    extension.join(peer);
    return { peer, sent };
  };
  return { extension, join, offered, retracted };
}

test("BEP 11: a peer that is named over uTP is dialled so first, and who names one for introductions is noted", () => {
  const { extension, join, offered, retracted } = world();
  const { peer } = join(tcpAddress(place(A)));
  const added = [
    { endpoint: place(B), flags: seed },
    { endpoint: place(C), flags: utp | holepunch },
    { endpoint: place(D), flags: holepunch },
    { endpoint: place("9.9.9.5:6881"), flags: utp },
  ];
  extension.handleMessage(peer, encodePex({ added, dropped: [] }));
  assert.deepEqual(offered, [`utp:${C} introduces`, B, "utp:9.9.9.5:6881"]);
  assert.deepEqual(retracted, []);
  extension.handleMessage(peer, encodePex({ added: [], dropped: [place(C), place(D)] }));
  assert.deepEqual(retracted, [C, D]);
  assert.equal(offered.length, 3);
});

test("BEP 11, BEP 55: others are told who is connected over uTP, who takes introductions and who was reached", () => {
  const { extension, join } = world();
  const { sent } = join(tcpAddress(place(A)));
  join({ kind: "utp", endpoint: place(B) }, { incoming: true });
  join(tcpAddress(place(C)), { accepts: (name) => name === UT_HOLEPUNCH });
  extension.tick(0);
  extension.tick(1_000);
  const flags = decodePex(sent[0]!).added.map((each) => [
    formatEndpoint(each.endpoint),
    each.flags,
  ]);
  assert.deepEqual(flags, [
    [C, holepunch | reachable],
    [B, utp],
  ]);
});
