import assert from "node:assert/strict";
import { test } from "node:test";
import { tcpAddress } from "../base/peer-address.ts";
import { KnownWays } from "./known-ways.ts";

const PEER = tcpAddress({ address: "10.0.0.2", port: 6881 });

test("a peer is dialled encrypted first, then plainly at once, then waits", () => {
  const ways = new KnownWays();
  for (let round = 0; round < 2; round += 1) {
    assert.equal(ways.next(PEER), "encrypted");
    assert.equal(ways.handleFailed(PEER), true);
    assert.equal(ways.next(PEER), "plain");
    assert.equal(ways.handleFailed(PEER), false, "both ways have failed");
  }
});

test("a peer that speaks plainly is dialled so again", () => {
  const ways = new KnownWays();
  ways.next(PEER);
  ways.handleFailed(PEER);
  assert.equal(ways.next(PEER), "plain");
  assert.equal(ways.next(PEER), "plain");
});

test("a peer that has negotiated is not dialled in another way because of what follows", () => {
  const ways = new KnownWays();
  ways.next(PEER);
  ways.handleEncrypted(PEER);
  assert.equal(ways.handleFailed(PEER), false);
  assert.equal(ways.next(PEER), "encrypted");
  assert.equal(ways.handleFailed(PEER), true, "this time it has not");
});

test("over TCP and uTP it is one peer, and 4096 are remembered", () => {
  const ways = new KnownWays();
  ways.next(PEER);
  ways.handleFailed(PEER);
  assert.equal(ways.next({ kind: "utp", endpoint: PEER.endpoint }), "plain");
  for (let port = 1; port <= 4_095; port += 1) ways.next(tcpAddress({ address: "10.0.0.3", port }));
  assert.equal(ways.next(PEER), "plain");
  for (let port = 1; port <= 4_096; port += 1) ways.next(tcpAddress({ address: "10.0.0.3", port }));
  assert.equal(ways.next(PEER), "encrypted", "it was dialled the longest ago");
});
