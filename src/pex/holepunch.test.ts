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
  const retracted: string[] = [];
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
    retractPeers: (addresses) => void retracted.push(...addresses.map(formatPeerAddress)),
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
    const say = (what: HolepunchMessage["kind"], about: string, error = 0): void =>
      extension.handleMessage(
        peer,
        encodeHolepunch({ kind: what, endpoint: parseEndpoint(about)!, error }),
      );
    return { peer, sent, closed, say };
  };
  return { kind, extension, join, offered, retracted };
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

test("BEP 55: a relay names the port at which a router shows a peer, and where it says it listens only over TCP", () => {
  const { join } = world();
  const shown = join("9.9.9.2:40001", { reachableAt: utp(B) });
  const caller: PeerAddress = { kind: "tcp", endpoint: parseEndpoint("9.9.9.1:50000")! };
  const asking = join("9.9.9.1:50000", { address: caller, reachableAt: utp(A) });
  asking.say("rendezvous", B);
  assert.deepEqual(asking.sent, ["connect 9.9.9.2:40001"]);
  assert.deepEqual(shown.sent, [`connect ${A}`]);
});

test("house rule 8: a relay introduces nobody in its own network to the world, nor the world to them", () => {
  const { join } = world();
  const [near, far] = [join("192.168.1.2:6881"), join(B)];
  near.say("rendezvous", B);
  far.say("rendezvous", "192.168.1.2:6881");
  const { noSuchPeer } = HOLEPUNCH_ERROR;
  assert.deepEqual(near.sent, [`error ${B} ${noSuchPeer}`]);
  assert.deepEqual(far.sent, [`error 192.168.1.2:6881 ${noSuchPeer}`]);
});

test("BEP 55: a relay introduces nobody to a peer of the other family", () => {
  const { join } = world();
  const [four, six] = [join(A), join("[2a00::1]:6881")];
  four.say("rendezvous", "[2a00::1]:6881");
  six.say("rendezvous", A);
  const { noSuchPeer } = HOLEPUNCH_ERROR;
  assert.deepEqual(four.sent, [`error [2a00::1]:6881 ${noSuchPeer}`]);
  assert.deepEqual(six.sent, [`error ${A} ${noSuchPeer}`]);
});

test("WIR-11: many who ask for one peer do not make it hear of more than it takes of a relay", () => {
  const { join } = world();
  const target = join(B);
  const asking = Array.from({ length: 10 }, (_, number) => join(`9.9.8.${number + 1}:6881`));
  for (const each of asking) for (let times = 0; times < 5; times += 1) each.say("rendezvous", B);
  assert.equal(target.sent.length, 20);
  assert.equal(asking.at(-1)!.sent.at(-1), `error ${B} ${HOLEPUNCH_ERROR.noSuchPeer}`);
});

test("BEP 55: for whom we do not reach we ask a peer that names it, and dial when we are introduced", () => {
  const { extension, join, offered } = world();
  const relay = join(A);
  const mute = join(B, { speaks: false });
  extension.handleUnreached!(utp(C), []);
  extension.handleUnreached!(utp(C), [mute.peer]);
  assert.deepEqual(relay.sent, []);
  extension.handleUnreached!(utp(C), [mute.peer, relay.peer]);
  assert.deepEqual(relay.sent, [`rendezvous ${C}`]);
  relay.say("connect", C);
  assert.deepEqual(offered, [`utp:${C}`]);
  extension.handleUnreached!(utp(A), [relay.peer]);
  assert.equal(relay.sent.length, 1, "we are connected to it");
});

test("BEP 55: a relay that refuses is asked no more for that address, and the next one is asked", () => {
  const { extension, join, retracted } = world();
  const relays = [join(A), join(B)];
  relays[0]!.say("error", C, HOLEPUNCH_ERROR.noSupport);
  assert.deepEqual(retracted, [], "it was not asked");
  extension.handleUnreached!(
    utp(C),
    relays.map(({ peer }) => peer),
  );
  assert.deepEqual(relays[1]!.sent, []);
  relays[1]!.say("error", C, HOLEPUNCH_ERROR.notConnected);
  assert.deepEqual(retracted, [], "another one was asked");
  relays[0]!.say("error", C, HOLEPUNCH_ERROR.notConnected);
  assert.deepEqual(retracted, [`utp:${C}`]);
  assert.deepEqual(relays[1]!.sent, [`rendezvous ${C}`]);
  relays[1]!.say("error", C, HOLEPUNCH_ERROR.noSelf);
  assert.deepEqual(
    relays.map(({ sent }) => sent.length),
    [1, 1],
  );
});

test("WIR-11: relays that introduce us without end cause a dial a second, and each address waits longer each time", () => {
  const { extension, join, offered } = world();
  const relays = Array.from({ length: 20 }, (_, number) => join(`9.9.8.${number + 1}:6881`));
  for (let second = 2; second < 602; second += 1) {
    extension.tick(second * 1000);
    for (const [number, relay] of relays.entries()) {
      relay.say("connect", `9.9.${second % 200}.${number}:7000`);
    }
  }
  assert.ok(offered.length <= 630, `${offered.length} dials in ten minutes`);
  assert.ok(offered.length > 300);
  offered.length = 0;
  for (let second = 3000; second < 6600; second += 1) {
    extension.tick(second * 1000);
    relays[second % 20]!.say("connect", C);
  }
  assert.equal(offered.length, 7, "now, after 30 s, 1, 2, 4, 8 and 16 minutes");
});

test("peers that have left are introduced to nobody", () => {
  const { extension, join } = world();
  const [asking, target] = [join(A), join(B)];
  extension.leave(target.peer, true);
  asking.say("rendezvous", B);
  assert.deepEqual(asking.sent, [`error ${B} ${HOLEPUNCH_ERROR.notConnected}`]);
  extension.leave(asking.peer, true);
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
