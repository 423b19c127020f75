import assert from "node:assert/strict";
import { test } from "node:test";
import { formatPeerAddress, tcpAddress } from "../../base/peer-address.ts";
import type { Connection } from "../connection/connection.ts";
import type { ExtensionKind, ExtensionPeer } from "../extension.ts";
import { AddedExtensions, type ExtensionMember } from "./added-extensions.ts";

function world(isPrivate: boolean) {
  const log: string[] = [];
  const offers = new Map<string, () => void>();
  const connection = {
    remote: tcpAddress({ address: "10.0.0.1", port: 1 }),
  } as unknown as Connection;
  const kind = (name: string, inPrivate: boolean): ExtensionKind => ({
    name,
    inPrivate,
    create: (view) => ({
      join: (joined) => {
        log.push(`${name} join`);
        offers.set(name, () => view.offerPeers([connection.remote], joined));
      },
      leave: (_peer, wasGood) => log.push(`${name} leave${wasGood ? ", good" : ""}`),
      handleMessage: (_peer: ExtensionPeer, payload: Uint8Array) =>
        log.push(`${name} ${payload.length} bytes`),
      tick: (now) => log.push(`${name} tick ${now}`),
    }),
  });
  const added = new AddedExtensions<ExtensionMember>({
    kinds: [kind("finds", false), kind("helps", true)],
    view: { infohashes: { v1: new Uint8Array(20), v2: undefined }, isInfoKnown: true },
    offerPeers: (addresses, namedBy) =>
      log.push(`${addresses.length} named by ${formatPeerAddress(namedBy)}`),
    isPrivate,
    burst: (run) => run(),
    accepts: () => true,
    send: () => true,
  });
  return {
    log,
    added,
    offers,
    peer: { connection, reachableAt: undefined, uploadOnly: false, prefersEncryption: false },
  };
}

test("BEP 27: a private torrent has no extension that finds peers", () => {
  const { log, added, peer } = world(true);
  assert.deepEqual([...added.names], ["helps"]);
  added.join(peer);
  added.handleMessage(peer, "finds", new Uint8Array(3));
  assert.deepEqual(log, ["helps join"]);
});

test("BEP 27: when a torrent turns out private, all peers leave what finds peers, and it hears nothing more", () => {
  const { log, added, offers, peer } = world(false);
  added.join(peer);
  offers.get("finds")!();
  assert.deepEqual(added.handlePrivate(), ["finds"]);
  offers.get("finds")!();
  added.handleMessage(peer, "finds", new Uint8Array(3));
  added.handleMessage(peer, "helps", new Uint8Array(3));
  added.tick(5);
  added.leave(peer, true);
  assert.deepEqual(log, [
    "finds join",
    "helps join",
    "1 named by 10.0.0.1:1",
    "finds leave",
    "helps 3 bytes",
    "helps tick 5",
    "helps leave, good",
  ]);
});

test("a peer that never joined does not leave, and its messages are ignored", () => {
  const { log, added, peer } = world(false);
  added.handleMessage(peer, "helps", new Uint8Array(3));
  added.leave(peer, true);
  assert.deepEqual(log, []);
});
