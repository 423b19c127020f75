import assert from "node:assert/strict";
import { setImmediate } from "node:timers/promises";
import { test } from "node:test";
import { formatAddress } from "../base/endpoint.ts";
import { nameLookup, outsideAddresses } from "./name-lookup.ts";

test("a name is looked up on demand, not too often, and known addresses stay when a lookup fails", async () => {
  let nowMs = 0;
  const answers: (readonly string[])[] = [["203.0.113.80", "2001:db8::80"], [], ["203.0.113.81"]];
  const asked: string[] = [];
  const addresses = nameLookup("hub.example", { nowMs: () => nowMs }, async (host) => {
    asked.push(host);
    const answer = answers.shift()!;
    if (answer.length === 0) throw new Error("ENOTFOUND");
    return answer;
  });
  const known = (): string[] => addresses().map(formatAddress);
  assert.deepEqual([known(), asked], [[], ["hub.example"]]);
  await setImmediate();
  assert.deepEqual(known(), ["203.0.113.80", "2001:db8::80"]);
  for (const [atMs, expected] of [
    [299_999, ["203.0.113.80", "2001:db8::80"]],
    [300_000, ["203.0.113.80", "2001:db8::80"]],
    [600_000, ["203.0.113.81"]],
  ] as const) {
    nowMs = atMs;
    known();
    await setImmediate();
    assert.deepEqual(known(), expected);
  }
  assert.equal(asked.length, 3);
});

test("an address is no name", () => {
  const never = (): never => assert.fail("an address needs no lookup");
  const clock = { nowMs: () => 0 };
  assert.deepEqual(nameLookup("203.0.113.5", clock, never)().map(formatAddress), ["203.0.113.5"]);
  assert.deepEqual(nameLookup("[2001:db8::5]", clock, never)().map(formatAddress), ["2001:db8::5"]);
});

test("the everseed's name outside is its own, else the site's; without either nothing is looked up", () => {
  const askedFor = (publicAddress: string | undefined, publicUrl: string | undefined): string[] => {
    const asked: string[] = [];
    const lookUp = async (host: string): Promise<string[]> => (asked.push(host), []);
    const addresses = outsideAddresses({ publicAddress, publicUrl }, { nowMs: () => 0 }, lookUp);
    assert.deepEqual(addresses(), []);
    return asked;
  };
  assert.deepEqual(askedFor("peers.hub.test", "https://hub.test:444/"), ["peers.hub.test"]);
  assert.deepEqual(askedFor(undefined, "https://hub.test:444/"), ["hub.test"]);
  assert.deepEqual(askedFor(undefined, undefined), []);
});
