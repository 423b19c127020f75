import assert from "node:assert/strict";
import { test } from "node:test";
import { formatEndpoint, parseEndpoint } from "../base/endpoint.ts";
import type { ExtensionPeer } from "../engine/extension.ts";
import { decodeHolepunch } from "../wire/ut-holepunch.ts";
import { Introductions } from "./introductions.ts";

const T = "9.9.9.9:6881";
const HOUR_MS = 3_600_000;

interface Relay {
  readonly peer: ExtensionPeer;
  readonly sent: string[];
}

function relay(): Relay {
  const sent: string[] = [];
  const send = (payload: Uint8Array): boolean => {
    const { kind, endpoint } = decodeHolepunch(payload);
    sent.push(`${kind} ${formatEndpoint(endpoint)}`);
    return true;
  };
  return { peer: { send } as unknown as ExtensionPeer, sent };
}

function want(
  introductions: Introductions,
  key: string,
  relays: readonly Relay[],
  now: number,
): void {
  const peers = relays.map(({ peer }) => peer);
  introductions.want({ key, endpoint: parseEndpoint(key)! }, peers, now);
}

function counts(relays: readonly Relay[]): number[] {
  return relays.map(({ sent }) => sent.length);
}

test("BEP 55: three relays are asked for an address, one after the other: on an error, when one leaves, and after silence", () => {
  const introductions = new Introductions();
  const relays = [relay(), relay(), relay(), relay()];
  const [first, second] = relays;
  want(introductions, T, relays, 0);
  want(introductions, T, relays, 100);
  assert.deepEqual(first!.sent, [`rendezvous ${T}`]);
  assert.equal(introductions.handleRefused(T, second!.peer, 200), false, "it was not asked");
  assert.equal(introductions.handleRefused(T, first!.peer, 200), true);
  assert.deepEqual(counts(relays), [1, 1, 0, 0]);
  introductions.leave(second!.peer, 300);
  assert.deepEqual(counts(relays), [1, 1, 1, 0]);
  introductions.tick(5_200);
  introductions.tick(5_300);
  introductions.tick(60_000);
  assert.deepEqual(counts(relays), [1, 1, 1, 0]);
});

test("who has left is not asked", () => {
  const introductions = new Introductions();
  const relays = [relay(), relay(), relay()];
  want(introductions, T, relays, 0);
  introductions.leave(relays[1]!.peer, 100);
  introductions.tick(5_000);
  assert.deepEqual(counts(relays), [1, 0, 1]);
});

test("an introduction ends the asking, also when the router shows the peer at another port", () => {
  const introductions = new Introductions();
  const relays = [relay(), relay()];
  want(introductions, T, relays, 0);
  introductions.handleIntroduced(parseEndpoint("9.9.9.8:6881")!, relays[0]!.peer);
  introductions.handleIntroduced(parseEndpoint(T)!, relays[1]!.peer);
  introductions.tick(4_999);
  introductions.handleIntroduced(parseEndpoint("9.9.9.9:40001")!, relays[0]!.peer);
  introductions.tick(60_000);
  assert.deepEqual(counts(relays), [1, 0]);
});

test("BEP 55: an address behind routers that nothing gets through is asked for three times an hour, at another relay first", () => {
  const introductions = new Introductions();
  const relays = [relay(), relay(), relay()];
  const askAll = (beginMs: number): void => {
    for (let now = beginMs; now < beginMs + HOUR_MS - 1; now += 60_000) {
      want(introductions, T, relays, now);
      for (const { peer } of relays) introductions.handleIntroduced(parseEndpoint(T)!, peer);
    }
  };
  askAll(0);
  assert.deepEqual(counts(relays), [1, 1, 1]);
  askAll(HOUR_MS);
  assert.deepEqual(counts(relays), [2, 2, 2]);
  introductions.handleReached(T);
  want(introductions, T, relays, HOUR_MS + 1);
  assert.deepEqual(counts(relays), [3, 2, 2], "once connected, it counts anew");
});

test("WIR-11: one relay is asked ten times at once and every six seconds, and nobody remembers more than 256 addresses", () => {
  const introductions = new Introductions();
  const one = relay();
  for (let number = 0; number < 50; number += 1) {
    want(introductions, `9.9.0.${number}:6881`, [one], 0);
  }
  assert.equal(one.sent.length, 10);
  for (let now = 0; now < 60_000; now += 1000) want(introductions, "9.9.1.1:6881", [one], now);
  assert.equal(one.sent.length, 11);
  // Whom nobody was asked for has all its times left.
  want(introductions, "9.9.0.49:6881", [one], 60_000);
  assert.equal(one.sent.at(-1), "rendezvous 9.9.0.49:6881");
  const two = relay();
  want(introductions, T, [two], 61_000);
  for (let number = 0; number < 256; number += 1) {
    want(introductions, `9.8.0.${number}:6881`, [relay()], 61_000);
  }
  want(introductions, T, [two], 61_000);
  assert.equal(two.sent.length, 2, "the oldest is forgotten");
});
