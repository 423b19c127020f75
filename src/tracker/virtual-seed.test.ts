import assert from "node:assert/strict";
import { test } from "node:test";
import { addressBytes, formatAddress } from "../base/endpoint.ts";
import { virtualSeed } from "./virtual-seed.ts";

const OWN = ["127.0.0.1", "172.17.0.1", "203.1.113.1", "::1", "fe80::1", "2001:dc8::1"];
const HOME = ["127.0.0.1", "192.168.1.4", "::1"];

const cases: readonly (readonly [
  from: string,
  to: string | undefined,
  own: string[],
  seed: string | undefined,
  outside?: string,
])[] = [
  ["198.52.100.7", undefined, OWN, "203.1.113.1"],
  ["198.52.100.7", "203.1.113.2", OWN, "203.1.113.2"],
  ["198.52.100.7", "172.17.0.1", OWN, "203.1.113.1"],
  ["172.17.0.9", undefined, OWN, "172.17.0.1"],
  ["127.0.0.1", "127.0.0.1", OWN, "127.0.0.1"],
  ["127.0.0.1", undefined, OWN, "127.0.0.1"],
  ["2a00::7", undefined, OWN, "2001:dc8::1"],
  ["fe80::7", undefined, OWN, "fe80::1"],
  ["::1", undefined, OWN, "::1"],
  ["198.52.100.7", "192.168.1.4", HOME, "192.168.1.4"],
  ["198.52.100.7", undefined, HOME, "192.168.1.4"],
  ["2a00::7", undefined, HOME, undefined],
  // Behind a router that forwards the port.
  ["198.52.100.7", "192.168.1.4", HOME, "203.1.113.80", "203.1.113.80"],
  ["198.52.100.7", undefined, HOME, "203.1.113.80", "203.1.113.80"],
  ["192.168.1.7", "192.168.1.4", HOME, "192.168.1.4", "203.1.113.80"],
  ["127.0.0.1", "127.0.0.1", HOME, "127.0.0.1", "203.1.113.80"],
  ["2a00::7", undefined, HOME, undefined, "203.1.113.80"],
  ["198.52.100.7", "192.168.1.4", HOME, "192.168.1.4", "127.0.0.1"],
  ["198.52.100.7", undefined, OWN, "203.1.113.1", "203.1.113.80"],
  // A campus whose machines have private addresses; the hub has a public one, and containers.
  ["10.1.2.3", "203.1.113.1", OWN, "203.1.113.1"],
  ["10.1.2.3", undefined, OWN, "203.1.113.1"],
  ["192.168.1.7", undefined, ["172.17.0.1", "192.168.9.4", "192.168.1.4"], "192.168.1.4"],
  ["10.8.0.3", undefined, HOME, "192.168.1.4"],
  ["fd00::7", undefined, [...OWN, "fd00::5"], "fd00::5"],
];

for (const [from, to, own, seed, outside] of cases) {
  const asked = (to ? ` at ${to}` : "") + (outside ? ` of a hub known as ${outside}` : "");
  test(`PUB-1.3, PUB-5.2: an asker from ${from}${asked} finds the everseed at ${seed}`, () => {
    const clock = { nowMs: () => 5 };
    const known = outside === undefined ? [] : [addressBytes(outside)!];
    const place = { host: "0.0.0.0", port: 8421, outside: () => known };
    const everseed = virtualSeed(place, clock, () => own);
    const local = to === undefined ? undefined : addressBytes(to);
    const found = everseed.reachedFrom({ address: addressBytes(from)!, local });
    assert.equal(found && formatAddress(found.address), seed);
  });
}

test("PUB-5.2: an address that the engine is bound to is the answer; otherwise addresses are looked up from time to time", () => {
  let [nowMs, lookUps] = [0, 0];
  const own = (): string[] => {
    lookUps += 1;
    return OWN;
  };
  const clock = { nowMs: () => nowMs };
  const asker = { address: addressBytes("198.52.100.7")!, local: undefined };
  const outside = (): Uint8Array[] => [addressBytes("203.1.113.80")!];
  const bound = (host: string): ReturnType<ReturnType<typeof virtualSeed>["reachedFrom"]> =>
    virtualSeed({ host, port: 1, outside }, clock, own).reachedFrom(asker);
  assert.deepEqual(bound("192.1.2.3"), { address: addressBytes("192.1.2.3"), port: 1 });
  assert.deepEqual(bound("10.0.0.3"), { address: addressBytes("203.1.113.80"), port: 1 });
  const mapped = { host: "10.0.0.3", port: 1, outside, outerPort: () => 7 };
  assert.equal(
    virtualSeed(mapped, clock, own).reachedFrom(asker)?.port,
    7,
    "as its router maps it",
  );
  const neighbour = { address: addressBytes("10.0.0.9")!, local: undefined };
  assert.equal(
    virtualSeed(mapped, clock, own).reachedFrom(neighbour)?.port,
    1,
    "not to neighbours",
  );
  const everywhere = virtualSeed({ host: "::", port: 1, outside }, clock, own);
  for (nowMs = 0; nowMs <= 20_000; nowMs += 1_000) everywhere.reachedFrom(asker);
  assert.equal(lookUps, 2);
});
