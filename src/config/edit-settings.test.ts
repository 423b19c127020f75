import assert from "node:assert/strict";
import { test } from "node:test";
import { parse } from "yaml";
import { CONFIG_KEYS } from "./config-keys.ts";
import { configTemplate } from "./config-template.ts";
import { withSetting } from "./edit-settings.ts";
import { loadConfig, valueAt } from "./load-config.ts";
import { readValue } from "./setting-text.ts";

/** What, before, path, value, after. */
const EDITS: readonly (readonly [string, string, readonly string[], unknown, string])[] = [
  ["a value", "# mine\nport: 1 # why\nhost: a\n", ["port"], 2, "# mine\nport: 2 # why\nhost: a\n"],
  [
    "a value in a section",
    "engine:\n    # peers\n    port: 1\n    proxy: x\nport: 3\n",
    ["engine", "port"],
    2,
    "engine:\n    # peers\n    port: 2\n    proxy: x\nport: 3\n",
  ],
  [
    "a value in braces",
    "engine: { port: 1, proxy: x }\n",
    ["engine", "port"],
    2,
    "engine: { port: 2, proxy: x }\n",
  ],
  ["a key without a value", "port:\nhost: a\n", ["port"], 2, "port: 2\nhost: a\n"],
  [
    "a list",
    "proxies:\n  - a\n  - b\nport: 1\n",
    ["proxies"],
    ["c", "d"],
    "proxies:\n  - c\n  - d\nport: 1\n",
  ],
  ["a key that is not there", "host: a\n", ["port"], 2, "host: a\nport: 2\n"],
  ["a key of a file without a last line end", "host: a", ["port"], 2, "host: a\nport: 2\n"],
  [
    "a section that is not there",
    "host: a\n",
    ["engine", "port"],
    2,
    "host: a\nengine:\n  port: 2\n",
  ],
  [
    "a key of a section that is there",
    "engine:\n   # one\n   proxy: x\nhost: a\n",
    ["engine", "port"],
    2,
    "engine:\n   # one\n   port: 2\n   proxy: x\nhost: a\n",
  ],
  ["an empty file", "", ["port"], 2, "port: 2\n"],
  [
    "a commented key",
    "# says\n#port: 8420\n\nhost: a\n",
    ["port"],
    2,
    "# says\nport: 2\n\nhost: a\n",
  ],
  ["a text like a number", "siteName: a\n", ["siteName"], "42", 'siteName: "42"\n'],
  ["a text with a colon", "siteName: a\n", ["siteName"], "a: b # c", 'siteName: "a: b # c"\n'],
  [
    "a list with odd texts",
    "",
    ["allowedHosts"],
    ["a,b", "[::1]:1"],
    'allowedHosts: ["a,b", "[::1]:1"]\n',
  ],
  ["taken out", "# says\nport: 1\nhost: a\n", ["port"], undefined, "# says\n#port: 1\nhost: a\n"],
  [
    "the last of a section taken out",
    "engine:\n  # peers\n  port: 1\nhost: a\n",
    ["engine", "port"],
    undefined,
    "#engine:\n  # peers\n#  port: 1\nhost: a\n",
  ],
  [
    "taken out of braces",
    "engine: { port: 1, proxy: x }\n",
    ["engine", "port"],
    undefined,
    "engine: { proxy: x }\n",
  ],
  ["taken out where it is not", "host: a\n", ["port"], undefined, "host: a\n"],
];

for (const [what, before, path, value, after] of EDITS) {
  test(`BDR-2.2.2 an edit keeps every other line: ${what}`, () => {
    assert.equal(withSetting(before, path, value), after);
  });
}

test("each key of the template comes to life in its place, and goes again", () => {
  const template = configTemplate("node");
  for (const key of CONFIG_KEYS) {
    const value = key.defaultValue ?? (key.kind === "text" ? "x" : 1);
    if (value === "") continue;
    const edited = withSetting(template, key.path, value);
    assert.deepEqual(valueAt(parse(edited), key.path), value, key.path.join("."));
    assert.equal(edited.split("\n").length, template.split("\n").length, key.path.join("."));
    const again = withSetting(edited, key.path, undefined);
    assert.equal(parse(again), null, key.path.join("."));
    assert.equal(again.split("\n").length, template.split("\n").length);
  }
});

test("two keys of one section of the template stand in that section", () => {
  let text = withSetting(configTemplate(), ["engine", "port"], 7);
  text = withSetting(text, ["engine", "connectionsMax"], 9);
  text = withSetting(text, ["port"], 8);
  assert.deepEqual(parse(text), { engine: { port: 7, connectionsMax: 9 }, port: 8 });
  const { engine } = loadConfig({ file: { path: "x", text }, env: {}, overrides: {} });
  assert.deepEqual([engine.port, engine.connectionsMax], [7, 9]);
});

test("a value is read as people write it, or refused with what the key takes", () => {
  const key = (name: string) => CONFIG_KEYS.find(({ path }) => path.join(".") === name)!;
  for (const [name, text, value] of [
    ["port", "80", 80],
    ["tracker.open", "true", true],
    ["siteName", "80", "80"],
    ["proxies", "127.0.0.1, ::1", ["127.0.0.1", "::1"]],
    ["proxies", "[127.0.0.1]", ["127.0.0.1"]],
  ] as const) {
    assert.deepEqual(readValue(key(name), text), value);
  }
  assert.throws(() => readValue(key("port"), "eighty"), {
    code: "bad-value",
    detail: /^"port" does not take "eighty"\. It takes a whole number from 0 to 65535/,
  });
});
