import assert from "node:assert/strict";
import { test } from "node:test";
import { RouterClock } from "./router-clock.ts";

/** Two looks: seconds of the router between them, and seconds here. */
const CASES: [rule: "natPmp" | "pcp", server: number, ours: number, isRestart: boolean][] = [
  ["natPmp", 100, 100, false],
  ["natPmp", 86, 100, false],
  ["natPmp", 85, 100, true],
  ["natPmp", 0, 2, false],
  ["natPmp", -50, 100, true],
  // A router's clock that runs fast is no sign of a restart.
  ["natPmp", 200, 100, false],
  ["pcp", 100, 100, false],
  ["pcp", 92, 100, false],
  ["pcp", 90, 100, true],
  ["pcp", 120, 100, true],
  ["pcp", -1, 0, false],
  ["pcp", -2, 0, true],
];

for (const [rule, server, ours, isRestart] of CASES) {
  test(`${rule}: ${server} s there and ${ours} s here are ${isRestart ? "a" : "no"} restart`, () => {
    const clock = RouterClock[rule]();
    assert.equal(clock.see(1_000, 5_000), false, "the first look tells nothing");
    assert.equal(clock.see(1_000 + server, 5_000 + ours * 1_000), isRestart);
  });
}
