import assert from "node:assert/strict";
import { test } from "node:test";
import { readUint32 } from "../../base/bytes.ts";
import { tcpAddress } from "../../base/peer-address.ts";
import { boundsOf } from "../../wire/piece-bounds.ts";
import { decodeExtensionHandshake, encodeExtensionHandshake } from "../../wire/extensions.ts";
import type { Connection } from "../connection/connection.ts";
import type { ExtensionMember } from "./added-extensions.ts";
import { ExtensionExchange } from "./extension-exchange.ts";

/** What a connection is told, and what it says about itself. */
function world(datagramBytesMax: number | undefined) {
  const frames: Uint8Array[] = [];
  const allowed: number[] = [];
  const connection = {
    remote: tcpAddress({ address: "10.0.0.1", port: 1 }),
    extended: true,
    datagramBytesMax,
    allowDatagrams: (bytes: number) => allowed.push(bytes),
    out: { frame: (bytes: Uint8Array) => frames.push(bytes) },
  } as unknown as Connection;
  const peer: ExtensionMember = {
    connection,
    reachableAt: undefined,
    uploadOnly: false,
    prefersEncryption: false,
  };
  const exchange = new ExtensionExchange<ExtensionMember>({
    infohashes: { v1: new Uint8Array(20), v2: undefined },
    metadataBytesMax: 1,
    requestQueueMax: 1,
    listenPort: () => 1,
    prefersEncryption: () => undefined,
    info: () => ({ bytes: new Uint8Array(1), private: false }),
    bounds: boundsOf(1),
    nowMs: () => 1,
    added: [],
    offerPeers: () => undefined,
    burst: (run) => run(),
  });
  exchange.join(peer);
  assert.equal(frames.length, 1);
  assert.equal(readUint32(frames[0]!, 0), frames[0]!.length - 4);
  return { exchange, peer, allowed, said: decodeExtensionHandshake(frames[0]!.subarray(6)) };
}

test("a peer is told of large datagrams where its link carries them, and nowhere else", () => {
  assert.equal(world(32_768).said.datagramBytes, 32_768);
  assert.equal(world(undefined).said.datagramBytes, undefined);
});

test("large datagrams go to a peer that has said so, and to no other", () => {
  const { exchange, peer, allowed } = world(32_768);
  const others = { messages: new Map([["ut_pex", 1]]), client: "libtorrent/2.0.8.0" };
  exchange.handleExtended(peer, 0, encodeExtensionHandshake(others));
  assert.deepEqual(allowed, []);
  const ours = { messages: new Map<string, number>(), datagramBytes: 16_384 };
  exchange.handleExtended(peer, 0, encodeExtensionHandshake(ours));
  assert.deepEqual(allowed, [16_384]);
});
