import assert from "node:assert/strict";
import { test } from "node:test";
import {
  addressKey,
  banKey,
  formatPeerAddress,
  ipOf,
  networkKey,
  type PeerAddress,
} from "./peer-address.ts";

function at(kind: "tcp" | "utp", address: string, port = 6881): PeerAddress {
  return { kind, endpoint: { address, port } };
}

function webrtc(id: string, via = "wss://tracker.example"): PeerAddress {
  return { kind: "webrtc", id, via };
}

test("one port over TCP and over uTP is one peer; another port is another", () => {
  assert.equal(addressKey(at("tcp", "10.0.0.1")), addressKey(at("utp", "10.0.0.1")));
  assert.notEqual(addressKey(at("tcp", "10.0.0.1")), addressKey(at("tcp", "10.0.0.1", 6882)));
  assert.equal(addressKey(at("utp", "2001:db8::1")), "[2001:db8::1]:6881");
});

test("WIR-13: a ban holds an IP address over every transport and port, and else one WebRTC peer", () => {
  assert.equal(banKey(at("tcp", "10.0.0.1")), banKey(at("utp", "10.0.0.1", 1)));
  assert.notEqual(banKey(at("tcp", "10.0.0.1")), banKey(at("tcp", "10.0.0.2")));
  assert.notEqual(banKey(webrtc("a")), banKey(webrtc("b")));
  assert.notEqual(banKey(webrtc("a")), banKey(webrtc("a", "wss://other.example")));
});

test("a WebRTC peer cannot choose an id that stands for another, or for an IP address", () => {
  assert.notEqual(addressKey(webrtc("a@b", "c")), addressKey(webrtc("a", "b@c")));
  assert.notEqual(banKey(webrtc("10.0.0.1", "")), banKey(at("tcp", "10.0.0.1")));
  assert.equal(typeof addressKey(webrtc("\ud800")), "string", "half a character is no error");
});

test("networks: a /24, a /48, and one for each introducer of WebRTC peers", () => {
  const same = (a: PeerAddress, b: PeerAddress): boolean => networkKey(a) === networkKey(b);
  assert.ok(same(at("tcp", "10.1.2.3"), at("utp", "10.1.2.4")));
  assert.ok(!same(at("tcp", "10.1.2.3"), at("tcp", "10.1.3.3")));
  assert.ok(same(at("tcp", "2001:db8:1:2::1"), at("tcp", "2001:db8:1:3::1")));
  assert.ok(!same(at("tcp", "2001:db8:1::1"), at("tcp", "2001:db8:2::1")));
  assert.ok(same(webrtc("a"), webrtc("b")));
  assert.ok(!same(webrtc("a"), webrtc("a", "wss://other.example")));
  assert.equal(networkKey(at("tcp", "x")), undefined);
});

test("what people read, and the IP address where there is one", () => {
  const all = [at("tcp", "10.0.0.1"), at("utp", "2001:db8::1"), webrtc("a b")];
  assert.deepEqual(all.map(formatPeerAddress), [
    "10.0.0.1:6881",
    "utp:[2001:db8::1]:6881",
    "webrtc:a%20b@wss://tracker.example",
  ]);
  assert.deepEqual(all.map(ipOf), ["10.0.0.1", "2001:db8::1", undefined]);
});
