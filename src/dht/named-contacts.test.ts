import assert from "node:assert/strict";
import { test } from "node:test";
import { concatBytes } from "../base/bytes.ts";
import { encodeCompact, type Endpoint } from "../base/endpoint.ts";
import type { BencodeDict } from "../bencode/bencode-value.ts";
import { encodeContacts } from "./contact.ts";
import { namedContacts, namedPeers } from "./named-contacts.ts";

const at = (address: string, port = 6881): Endpoint => ({ address, port });
const NAMED = ["11.1.1.1", "10.0.0.5", "127.0.0.1", "224.0.0.1", "192.168.1.1"].map((host) =>
  at(host),
);

test("DHT-8: a node names nobody who is nearer to us than it is itself", () => {
  const results: BencodeDict = new Map([["values", NAMED.map(encodeCompact)]]);
  const hosts = (from: string): string[] =>
    namedPeers(results, at(from)).map(({ address }) => address);
  assert.deepEqual(hosts("11.9.9.9"), ["11.1.1.1"]);
  assert.deepEqual(hosts("10.9.9.9"), ["11.1.1.1", "10.0.0.5", "192.168.1.1"]);
  assert.deepEqual(hosts("127.0.0.9"), ["11.1.1.1", "10.0.0.5", "127.0.0.1", "192.168.1.1"]);
});

test("the same rule holds for nodes; a reply names a bounded number of them", () => {
  const id = new Uint8Array(20);
  const nodes = encodeContacts(
    NAMED.map((endpoint) => ({ id, endpoint })),
    4,
  );
  const results: BencodeDict = new Map([["nodes", nodes]]);
  assert.equal(namedContacts(results, at("11.9.9.9"), 4).length, 1);
  const many = Array.from({ length: 50 }, (_, i) => ({ id, endpoint: at(`11.2.3.${i}`) }));
  const long: BencodeDict = new Map([["nodes", encodeContacts(many, 4)]]);
  assert.equal(namedContacts(long, at("11.9.9.9"), 4).length, 16);
});

test("values of a wrong length and ports of 0 are left out", () => {
  const results: BencodeDict = new Map([
    [
      "values",
      [new Uint8Array(5), encodeCompact(at("11.1.1.1", 0)), 7, encodeCompact(at("11.1.1.2"))],
    ],
  ]);
  assert.deepEqual(namedPeers(results, at("11.9.9.9")), [at("11.1.1.2")]);
  const mixed: BencodeDict = new Map([
    ["nodes6", concatBytes([new Uint8Array(20), encodeCompact(at("2600::1"))])],
  ]);
  assert.equal(namedContacts(mixed, at("2600::9"), 6)[0]!.endpoint.address, "2600::1");
});
