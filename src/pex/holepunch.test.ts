import assert from "node:assert/strict";
import { test } from "node:test";
import { formatEndpoint, parseEndpoint } from "../base/endpoint.ts";
import { formatPeerAddress, type PeerAddress } from "../base/peer-address.ts";
import type { ExtensionPeer } from "../engine/extension.ts";
import {
  decodeHolepunch,
  encodeHolepunch,
  HOLEPUNCH_ERROR,
  type HolepunchMessage,
  UT_HOLEPUNCH,
} from "../wire/ut-holepunch.ts";
import { WireError } from "../wire/wire-error.ts";
import { holepunch } from "./holepunch.ts";

const A = "9.9.9.1:6881";
const B = "9.9.9.2:6881";
const C = "9.9.9.3:6881";

function utp(place: string): PeerAddress {
  return { kind: "utp", endpoint: parseEndpoint(place)! };
}

/** A torrent whose peers are named by their addresses. */
function world(options: { readonly refused?: readonly string[] } = {}) {
  const offered: string[] = [];
  const kind = holepunch({
    judgePeers: (peers) => peers.filter((peer) => !options.refused?.includes(formatEndpoint(peer))),
  });
  const extension = kind.create({
    infohashes: { v1: new Uint8Array(20), v2: undefined },
    isInfoKnown: true,
    offerPeers: (addresses, _by, how) => {
      assert.ok(how?.dialUs);
      offered.push(...addresses.map(formatPeerAddress));
    },
  });
  extension.tick(1000);
  const join = (place: string, more: Partial<ExtensionPeer> & { speaks?: boolean } = {}) => {
    const sent: string[] = [];
    const closed: string[] = [];
    const peer: ExtensionPeer = {
      address: utp(place),
      reachableAt: undefined,
      incoming: true,
      isSeed: false,
      uploadOnly: false,
      isEncrypted: false,
      accepts: (name) => name === UT_HOLEPUNCH && more.speaks !== false,
      send: (payload) => {
        if (more.speaks === false) return false;
        const { kind: what, endpoint, error } = decodeHolepunch(payload);
        sent.push(`${what} ${formatEndpoint(endpoint)}${error > 0 ? ` ${error}` : ""}`);
        return true;
      },
      close: (reason) => void closed.push(reason),
      ...more,
    };
    extension.join(peer);
    const say = (what: HolepunchMessage["kind"], about: string): void =>
      extension.handleMessage(
        peer,
        encodeHolepunch({ kind: what, endpoint: parseEndpoint(about)!, error: 0 }),
      );
    return { peer, sent, closed, say };
  };
  return { kind, extension, join, offered };
}

test("BEP 55: a relay introduces two peers that it is connected to", () => {
  const { join, offered } = world();
  const [asking, target] = [join(A), join(B)];
  asking.say("rendezvous", B);
  assert.deepEqual(asking.sent, [`connect ${B}`]);
  assert.deepEqual(target.sent, [`connect ${A}`]);
  assert.deepEqual(offered, []);
});

test("a target is also known by where it listens", () => {
  const { join } = world();
  const asking = join(A);
  const target = join("9.9.9.2:50000", { reachableAt: utp(B) });
  asking.say("rendezvous", B);
  assert.deepEqual(target.sent, [`connect ${A}`]);
});

test("BEP 55: a relay says why it introduces nobody, and nothing to whom it cannot", () => {
  const { join } = world();
  const asking = join(A);
  join(B, { speaks: false });
  asking.say("rendezvous", C);
  asking.say("rendezvous", B);
  asking.say("rendezvous", A);
  assert.deepEqual(asking.sent, [
    `error ${C} ${HOLEPUNCH_ERROR.notConnected}`,
    `error ${B} ${HOLEPUNCH_ERROR.noSupport}`,
    `error ${A} ${HOLEPUNCH_ERROR.noSelf}`,
  ]);
});

test("BEP 55: whom a relay introduces is dialled over uTP, unless it is connected, or the guard refuses it", () => {
  const { join, offered } = world({ refused: ["127.0.0.1:80"] });
  const relay = join(A);
  join(B);
  for (const each of [B, C, C, "127.0.0.1:80"]) relay.say("connect", each);
  assert.deepEqual(offered, [`utp:${C}`], "and once in half a minute");
});

test("peers that have left are introduced to nobody", () => {
  const { extension, join } = world();
  const [asking, target] = [join(A), join(B)];
  extension.leave(target.peer);
  asking.say("rendezvous", B);
  assert.deepEqual(asking.sent, [`error ${B} ${HOLEPUNCH_ERROR.notConnected}`]);
  extension.leave(asking.peer);
  asking.say("rendezvous", B);
  assert.equal(asking.sent.length, 1);
});

test("WIR-11: introductions are bounded by time, and a peer without an end is closed", () => {
  const { extension, join } = world();
  const [asking, target] = [join(A), join(B)];
  for (let count = 0; count < 50; count += 1) asking.say("rendezvous", B);
  assert.equal(target.sent.length, 20);
  extension.tick(31_000);
  asking.say("rendezvous", B);
  assert.equal(target.sent.length, 21);
  for (let count = 0; count < 300; count += 1) asking.say("rendezvous", B);
  assert.equal(asking.closed.length > 0, true);
});

test("a message that breaks the grammar is the peer's fault, and private torrents have none of it", () => {
  const { kind, extension, join } = world();
  const { peer } = join(A);
  assert.throws(() => extension.handleMessage(peer, Uint8Array.of(9)), WireError);
  assert.equal(kind.inPrivate, false);
});
