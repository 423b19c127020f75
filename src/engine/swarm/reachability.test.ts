import assert from "node:assert/strict";
import { test } from "node:test";
import { formatPeerAddress, type PeerAddress, tcpAddress } from "../../base/peer-address.ts";
import type { PeerWays } from "./peer-ways.ts";
import { Reachability } from "./reachability.ts";

const HOUR_MS = 3_600_000;

function both(address: string): PeerWays {
  const endpoint = { address, port: 6881 };
  return [tcpAddress(endpoint), { kind: "utp", endpoint }];
}

function world(dialled: readonly string[] = []) {
  const dials = {
    hasDialled: (remote: PeerAddress) => dialled.includes(formatPeerAddress(remote)),
  };
  const reachability = new Reachability(dials, true);
  const call = (remote: PeerAddress, incoming = true): void =>
    reachability.handleReady({ incoming, remote }, 0);
  const firstTo = (address: string, now = 0): string =>
    reachability.order(both(address), now).map(({ kind }) => kind)[0]!;
  return { reachability, firstTo, call };
}

test("BEP 55: while nobody elsewhere has called, uTP is preferred to peers elsewhere, for an hour after a call TCP", () => {
  const { reachability, firstTo, call } = world();
  assert.deepEqual(reachability.order(both("9.9.9.9"), 0), both("9.9.9.9").toReversed());
  for (const near of ["127.0.0.1", "192.168.1.2", "::1"]) assert.equal(firstTo(near), "tcp");
  call(both("192.168.1.2")[0]);
  assert.equal(firstTo("9.9.9.9"), "utp", "a neighbour's call went through no router");
  call(both("9.9.9.8")[0], false);
  assert.equal(firstTo("9.9.9.9"), "utp", "it was called");
  call(both("9.9.9.8")[0]);
  assert.equal(firstTo("9.9.9.9"), "tcp");
  assert.equal(firstTo("9.9.9.9", HOUR_MS - 1), "tcp");
  assert.equal(firstTo("9.9.9.9", HOUR_MS), "utp");
});

test("a call from whom we have dialled says nothing, and a router that passes our port on says all", () => {
  const { reachability, firstTo, call } = world(["utp:9.9.9.8:6881"]);
  call(both("9.9.9.8")[1]!);
  assert.equal(firstTo("9.9.9.9"), "utp");
  reachability.isMapped = true;
  assert.equal(firstTo("9.9.9.9"), "tcp");
});

test("where there is one way it is taken, and without introductions nothing is preferred", () => {
  const { reachability } = world();
  const ways = both("9.9.9.9");
  assert.deepEqual(reachability.order([ways[0]], 0), [ways[0]]);
  const without = new Reachability({ hasDialled: () => false }, false);
  assert.deepEqual(without.order(ways, 0), ways);
});
