import assert from "node:assert/strict";
import { test } from "node:test";
import { dhtChoice } from "./dht-option.ts";

const NODE = { host: "192.0.2.1", port: 6881 };
const ON = { EVERSEED_DISCOVERY_DHT: "true" };
const OFF = { EVERSEED_DISCOVERY_DHT: "false" };
const here = { host: "127.0.0.1", port: 0 };

for (const [what, flags, env, isAskedFor, isOn] of [
  ["nothing is said", {}, {}, false, true],
  ["everybody may connect", { listen: { host: "0.0.0.0", port: 1 } }, {}, false, true],
  ["only this machine reaches it", { listen: here }, {}, false, false],
  ["the flag says on", { listen: here, dht: "on" }, OFF, false, true],
  ["the flag says off", { dht: "off", dhtBootstrap: [NODE] }, ON, true, false],
  ["a node is named", { listen: here, dhtBootstrap: [NODE] }, OFF, false, true],
  ["a key is to be found", { listen: here }, OFF, true, true],
  ["the variable says off", {}, OFF, false, false],
  ["the variable says on", { listen: here }, ON, false, true],
] as const) {
  test(`when ${what}, the DHT is ${isOn ? "on" : "off"}`, () => {
    assert.equal(dhtChoice(flags, env, isAskedFor) !== undefined, isOn);
  });
}

test("nodes that are named are those to begin with; the well-known ones are the default", () => {
  assert.deepEqual(dhtChoice({ dhtBootstrap: [NODE] }, {}), { bootstrap: [NODE] });
  assert.deepEqual(dhtChoice({}, {}), { bootstrap: [] });
});
