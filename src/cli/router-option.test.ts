import assert from "node:assert/strict";
import { test } from "node:test";
import { mapsPorts } from "./router-option.ts";

const ON = { EVERSEED_ROUTER_MAP_PORTS: "true" };
const OFF = { EVERSEED_ROUTER_MAP_PORTS: "false" };

test("the flag wins over the variable, and the variable over the default", () => {
  assert.equal(mapsPorts({}, {}, true), true);
  assert.equal(mapsPorts({}, {}, false), false);
  assert.equal(mapsPorts({}, ON, false), true);
  assert.equal(mapsPorts({}, OFF, true), false);
  assert.equal(mapsPorts({ mapPorts: "off" }, ON, true), false);
  assert.equal(mapsPorts({ mapPorts: "on" }, OFF, false), true);
});

test("traffic that is bound to an interface has no router asked", () => {
  assert.equal(mapsPorts({ mapPorts: "on", interface: "tun0" }, ON, true), false);
});
