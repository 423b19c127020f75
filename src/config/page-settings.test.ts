import assert from "node:assert/strict";
import { test } from "node:test";
import { loadConfig, originsOf } from "./load-config.ts";
import { PAGE_KEYS, withPageValues } from "./page-settings.ts";

test("every key of the page Connections is a key of the settings, and its default fits its control", () => {
  assert.ok(PAGE_KEYS.length > 3);
  for (const { name, control, setting, flag } of PAGE_KEYS) {
    assert.match(flag[0], /^--[a-z-]+( <[^>]+>)?$/, name);
    const { defaultValue, takesValue } = setting;
    switch (control.kind) {
      case "choice": {
        const values = control.choices.map(({ value }) => value);
        assert.ok(values.includes(String(defaultValue)), name);
        assert.deepEqual(
          values.map(takesValue),
          values.map(() => true),
          name,
        );
        break;
      }
      case "switch":
        assert.deepEqual([true, false].map(takesValue), [true, true], name);
        assert.equal(takesValue("on"), false, name);
        break;
      case "rate":
        assert.deepEqual([0, 1, -1].map(takesValue), [true, true, false], name);
        break;
      case "count": {
        const { min, max } = control;
        const values = [min, max, min - 1, max + 1, min + 0.5];
        assert.deepEqual(values.map(takesValue), [true, true, false, false, false], name);
        break;
      }
      case "text":
        assert.equal(takesValue(1), false, name);
        break;
      case "list":
        assert.deepEqual([takesValue([]), takesValue("x")], [true, false], name);
        break;
    }
  }
});

test("flags of the page's keys are unique", () => {
  const flags = PAGE_KEYS.map(({ flag }) => flag[0].split(" ")[0]);
  assert.equal(new Set(flags).size, flags.length);
});

test("the command line, variables and the file win over the page, and the page over defaults", () => {
  const sources = {
    file: { path: "everseed.yaml", text: "engine: {upBytesPerSecond: 1000}\n" },
    env: { EVERSEED_ENGINE_DOWN_BYTES_PER_SECOND: "2000" },
    overrides: { engine: { encryption: "off" as const } },
  };
  const origins = originsOf(sources);
  assert.deepEqual(
    [...origins],
    [
      ["engine.upBytesPerSecond", "file"],
      ["engine.downBytesPerSecond", "variable"],
      ["engine.encryption", "command-line"],
    ],
  );
  const refused: string[] = [];
  const { engine } = withPageValues(loadConfig(sources), {
    origins,
    stored: {
      "engine.upBytesPerSecond": 1,
      "engine.downBytesPerSecond": 2,
      "engine.encryption": "require",
      "engine.connectionsMax": 77,
      "engine.goneByNow": true,
    },
    onRefused: (name) => refused.push(name),
  });
  assert.equal(engine.upBytesPerSecond, 1000);
  assert.equal(engine.downBytesPerSecond, 2000);
  assert.equal(engine.encryption, "off");
  assert.equal(engine.connectionsMax, 77);
  assert.deepEqual(refused, []);
});

test("a stored value that is not possible any more is refused, and the default holds", () => {
  const refused: string[] = [];
  const sources = { env: {}, overrides: {} };
  const { engine } = withPageValues(loadConfig(sources), {
    origins: originsOf(sources),
    stored: { "engine.encryption": "rot13", "engine.connectionsMax": 1e9 },
    onRefused: (name) => refused.push(name),
  });
  assert.deepEqual([engine.encryption, engine.connectionsMax], ["prefer", 500]);
  assert.deepEqual(refused, ["engine.encryption", "engine.connectionsMax"]);
});

test("an empty variable gives nothing", () => {
  const origins = originsOf({ env: { EVERSEED_ENGINE_ENCRYPTION: "" }, overrides: {} });
  assert.equal(origins.size, 0);
});
