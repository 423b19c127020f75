import assert from "node:assert/strict";
import { test } from "node:test";
import { tcpAddress } from "../../base/peer-address.ts";
import type { Connection } from "../connection/connection.ts";
import type { ExtensionKind, ExtensionPeer } from "../extension.ts";
import { AddedExtensions, type ExtensionMember } from "./added-extensions.ts";

function world(isPrivate: boolean) {
  const log: string[] = [];
  const kind = (name: string, inPrivate: boolean): ExtensionKind => ({
    name,
    inPrivate,
    create: () => ({
      join: () => log.push(`${name} join`),
      leave: () => log.push(`${name} leave`),
      handleMessage: (_peer: ExtensionPeer, payload: Uint8Array) =>
        log.push(`${name} ${payload.length} bytes`),
      tick: (now) => log.push(`${name} tick ${now}`),
    }),
  });
  const added = new AddedExtensions<ExtensionMember>({
    kinds: [kind("finds", false), kind("helps", true)],
    view: { infohashes: { v1: new Uint8Array(20), v2: undefined } },
    isPrivate,
    burst: (run) => run(),
    send: () => true,
  });
  const connection = {
    remote: tcpAddress({ address: "10.0.0.1", port: 1 }),
  } as unknown as Connection;
  return { log, added, peer: { connection, reachableAt: undefined } };
}

test("BEP 27: a private torrent has no extension that finds peers", () => {
  const { log, added, peer } = world(true);
  assert.deepEqual([...added.names], ["helps"]);
  added.join(peer);
  added.handleMessage(peer, "finds", new Uint8Array(3));
  assert.deepEqual(log, ["helps join"]);
});

test("BEP 27: when a torrent turns out private, all peers leave what finds peers, and it hears nothing more", () => {
  const { log, added, peer } = world(false);
  added.join(peer);
  added.handlePrivate();
  added.handleMessage(peer, "finds", new Uint8Array(3));
  added.handleMessage(peer, "helps", new Uint8Array(3));
  added.tick(5);
  added.leave(peer);
  assert.deepEqual(log, [
    "finds join",
    "helps join",
    "finds leave",
    "helps 3 bytes",
    "helps tick 5",
    "helps leave",
  ]);
});

test("a peer that never joined does not leave, and its messages are ignored", () => {
  const { log, added, peer } = world(false);
  added.handleMessage(peer, "helps", new Uint8Array(3));
  added.leave(peer);
  assert.deepEqual(log, []);
});
