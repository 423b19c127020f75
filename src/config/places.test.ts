import assert from "node:assert/strict";
import { test } from "node:test";
import { controlSocketIn, placesOf } from "./places.ts";

const USER = {
  configFile: "/home/ann/.config/everseed/everseed.yaml",
  stateDir: "/home/ann/.local/state/everseed",
  runtimeDir: "/home/ann/.local/state/everseed/run",
};
const XDG = {
  XDG_CONFIG_HOME: "/c",
  XDG_STATE_HOME: "/s",
  XDG_RUNTIME_DIR: "/run/user/1000",
};
const ONE = {
  configFile: "/srv/one/everseed.yaml",
  stateDir: "/srv/one/state",
  runtimeDir: "/srv/one/run",
};
const SYSTEM = {
  configFile: "/etc/everseed/everseed.yaml",
  stateDir: "/var/lib/everseed",
  runtimeDir: "/run/everseed",
};

for (const [what, env, isSystem, expected] of [
  ["nothing is set", {}, false, USER],
  ["variables of XDG are empty", { XDG_CONFIG_HOME: "", XDG_RUNTIME_DIR: "" }, false, USER],
  ["variables of XDG are relative", { XDG_STATE_HOME: "s", XDG_RUNTIME_DIR: "r" }, false, USER],
  [
    "XDG names its folders",
    XDG,
    false,
    {
      configFile: "/c/everseed/everseed.yaml",
      stateDir: "/s/everseed",
      runtimeDir: "/run/user/1000/everseed",
    },
  ],
  ["EVERSEED_HOME is set", { ...XDG, EVERSEED_HOME: "/srv/one" }, false, ONE],
  ["EVERSEED_HOME is relative", { EVERSEED_HOME: "one" }, false, ONE],
  ["EVERSEED_HOME is empty", { EVERSEED_HOME: "" }, false, USER],
  ["it is the system's", XDG, true, SYSTEM],
  ["it is the system's and EVERSEED_HOME is set", { EVERSEED_HOME: "/srv/one" }, true, ONE],
] as const) {
  test(`where a node has its files when ${what}`, () => {
    assert.deepEqual(placesOf({ env, home: "/home/ann", here: "/srv", isSystem }), expected);
  });
}

test("the control socket is in the runtime folder", () => {
  assert.equal(controlSocketIn("/run/everseed"), "/run/everseed/control.sock");
});
