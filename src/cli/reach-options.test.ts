import assert from "node:assert/strict";
import { test } from "node:test";
import { Command } from "commander";
import { PAGE_KEYS } from "../config/page-settings.ts";
import { addReachOptions, reachOverrides } from "./reach-options.ts";

/** The settings that these words on the command line give. */
function settingsOf(...words: readonly string[]): Record<string, unknown> {
  const command = addReachOptions(new Command("start")).exitOverride();
  command.configureOutput({ writeErr: () => undefined });
  command.parse(words, { from: "user" });
  return reachOverrides(command.opts());
}

test("without flags no setting is given, so that the file and the page decide", () => {
  assert.deepEqual(settingsOf(), {});
});

test("flags become settings: words, rates, numbers, on and off, lists", () => {
  assert.deepEqual(
    settingsOf(
      "--encryption=require",
      "--up=1.5M",
      "--connections=77",
      "--dht=off",
      "--dht-bootstrap=a.example:6881",
      "--dht-bootstrap=[2001:db8::1]:6881",
    ),
    {
      engine: { encryption: "require", upBytesPerSecond: 1_572_864, connectionsMax: 77 },
      discovery: { dht: false, dhtBootstrap: ["a.example:6881", "[2001:db8::1]:6881"] },
    },
  );
});

test("every key of the page Connections has its flag", () => {
  const flags = addReachOptions(new Command("start")).options.map(({ flags: usage }) => usage);
  assert.deepEqual(
    flags,
    PAGE_KEYS.map(({ flag }) => flag[0]),
  );
});

for (const [flag, word] of [
  ["--encryption", "rot13"],
  ["--up", "fast"],
  ["--connections", "3"],
  ["--connections", "1e3"],
  ["--dht", "maybe"],
  ["--dht-bootstrap", "dht.example"],
] as const) {
  test(`${flag} ${word} is refused`, () => {
    assert.throws(() => settingsOf(flag, word), { code: "commander.invalidArgument" });
  });
}
