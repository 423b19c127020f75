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

test("BEP 11: with few peers, a newcomer is told of good ones that left within ten minutes, and then that they are gone", () => {
  const { extension, join } = world();
  const old = join(tcpAddress(place(A)));
  const [left, bad, late] = [B, C, D].map((each) => join(tcpAddress(place(each))));
  extension.tick(0);
  extension.tick(1_000);
  extension.leave(late!.peer, true);
  extension.tick(590_000);
  extension.leave(left!.peer, true);
  extension.leave(bad!.peer, false);
  extension.tick(601_500);
  const newcomer = join(tcpAddress(place("9.9.9.5:6881")));
  extension.tick(601_600);
  extension.tick(602_700);
  const words = (payload: Uint8Array | undefined): string[][] => {
    const { added, dropped } = decodePex(payload!);
    return [added.map(({ endpoint }) => formatEndpoint(endpoint)), dropped.map(formatEndpoint)];
  };
  assert.deepEqual(words(newcomer.sent[0]), [[A, B], []]);
  extension.tick(662_800);
  assert.deepEqual(words(newcomer.sent[1]), [[], [B]]);
  extension.tick(800_000);
  assert.equal(newcomer.sent.length, 2);
  const told = old.sent.flatMap((payload) => words(payload)[0]!);
  assert.deepEqual(new Set(told).size, told.length, "who was there is told of nobody twice");
});

test("BEP 11: with twenty-five peers or more, nobody is told of those that left", () => {
  const { extension, join } = world();
  const left = join(tcpAddress(place("9.9.8.8:6881")));
  for (let number = 1; number <= 25; number += 1) join(tcpAddress(place(`9.9.7.${number}:6881`)));
  extension.tick(0);
  extension.leave(left.peer, true);
  const newcomer = join(tcpAddress(place(A)));
  extension.tick(1_000);
  extension.tick(2_000);
  assert.equal(decodePex(newcomer.sent[0]!).added.length, 25);
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
