import assert from "node:assert/strict";
import { test } from "node:test";
import { stringify } from "yaml";
import { ConfigError } from "./config-error.ts";
import { CONFIG_KEYS } from "./config-keys.ts";
import { configTemplate } from "./config-template.ts";
import { type ConfigSources, loadConfig } from "./load-config.ts";

function load(sources: Partial<ConfigSources> & { text?: string }) {
  const { text, ...others } = sources;
  const file = text === undefined ? undefined : { path: "everseed.yaml", text };
  return loadConfig({ file, env: {}, overrides: {}, ...others });
}

const refused: readonly (readonly [
  name: string,
  sources: Parameters<typeof load>[0],
  code: string,
  detail: RegExp,
  hint: RegExp,
])[] = [
  [
    "a key with a slip",
    { text: "# mine\nhost: 127.0.0.1\n\nprot: 80\n" },
    "unknown-key",
    /^everseed\.yaml line 4 has an unknown key "prot"\.$/,
    /write "port" if that was meant.*Known here: dataDir, host, port/,
  ],
  [
    "a key with a slip inside a section",
    { text: "tracker:\n  udpport: 80\n" },
    "unknown-key",
    /line 2 has an unknown key "tracker\.udpport"/,
    /write "udpPort"/,
  ],
  [
    "a site below a path",
    { text: "port: 80\npublicUrl: https://hub.example/torrents/\n" },
    "bad-value",
    /^everseed\.yaml line 2 has a wrong value for "publicUrl"\. The site fills a whole host name, so there can be no path \("\/torrents\/"\)\.$/,
    /^give the site a host name of its own, like https:\/\/seed\.example, and let your proxy/,
  ],
  [
    "a site with a query in a variable",
    { env: { EVERSEED_PUBLIC_URL: "https://hub.example/?a=b" } },
    "bad-value",
    /^EVERSEED_PUBLIC_URL has a wrong value for "publicUrl"\. It is an address without a query or fragment\.$/,
    /^write https:\/\/hub\.example\.$/,
  ],
  [
    "a password in the address that everybody sees",
    { overrides: { publicUrl: "https://ann:secret@hub.example" } },
    "bad-value",
    /^the command line has a wrong value for "publicUrl"\. It is an address without a name and password\.$/,
    /^write https:\/\/hub\.example\.$/,
  ],
  [
    "a key like nothing we know",
    { text: "blockchain: true\n" },
    "unknown-key",
    /line 1 has an unknown key "blockchain"/,
    /^Known here: /,
  ],
  [
    "a polluting key",
    { text: "__proto__:\n  port: 1\n" },
    "unknown-key",
    /unknown key "__proto__"/,
    /Known here/,
  ],
  [
    "a variable with a slip",
    { env: { EVERSEED_PROT: "1" } },
    "unknown-key",
    /^The variable EVERSEED_PROT is no setting\.$/,
    /^write EVERSEED_PORT if that was meant\. Known are EVERSEED_DATA_DIR, .*EVERSEED_TRACKER_UDP_PORT/,
  ],
  [
    "a variable like nothing we know",
    { env: { EVERSEED_BLOCKCHAIN_MINING: "true" } },
    "unknown-key",
    /^The variable EVERSEED_BLOCKCHAIN_MINING is no setting\.$/,
    /^Known are /,
  ],
  [
    "a port out of range",
    { text: "port: 99999\n" },
    "bad-value",
    /line 1 has a wrong value for "port"\. It takes a whole number from 0 to 65535/,
    /leave it out: then it is 8420/,
  ],
  [
    "a word where a number belongs",
    { text: "tracker:\n\n  intervalSeconds: often\n" },
    "bad-value",
    /line 3 has a wrong value for "tracker\.intervalSeconds"\. It takes 60 to 86400 seconds/,
    /720/,
  ],
  [
    "a word that is not one of those allowed",
    { text: "log:\n  level: loud\n" },
    "bad-value",
    /takes debug, info, warn or error/,
    /"info"/,
  ],
  [
    "a wrong item of a list",
    { text: "allowedHosts:\n  - 17\n" },
    "bad-value",
    /wrong value for "allowedHosts"/,
    /leave it out/,
  ],
  [
    "a value where a section belongs",
    { text: "tracker: yes\n" },
    "bad-value",
    /"tracker"/,
    /tracker/,
  ],
  ["a list instead of keys", { text: "- a\n" }, "bad-value", /the whole file/, /the whole file/],
  [
    "text that is not YAML",
    { text: 'host: "127.0.0.1\nport: 1\n' },
    "bad-yaml",
    /^everseed\.yaml line \d is not YAML\./,
    /one per line/,
  ],
  [
    "the same key twice",
    { text: "port: 1\nport: 2\n" },
    "bad-yaml",
    /line 2.*unique/,
    /one per line/,
  ],
  [
    "a wrong value in a variable",
    { env: { EVERSEED_TRACKER_UDP_PORT: "many" } },
    "bad-value",
    /^EVERSEED_TRACKER_UDP_PORT has a wrong value for "tracker\.udpPort"/,
    /leave it out/,
  ],
  [
    "a wrong value on the command line",
    { overrides: { port: -1 } },
    "bad-value",
    /^the command line has a wrong value for "port"/,
    /8420/,
  ],
];

for (const [name, sources, code, detail, hint] of refused) {
  test(`refuses ${name}`, () => {
    assert.throws(
      () => load(sources),
      (error) => {
        assert.ok(error instanceof ConfigError);
        assert.equal(error.code, code);
        assert.match(error.detail, detail);
        assert.match(error.hint, hint);
        return true;
      },
    );
  });
}

test("no source at all gives the defaults", () => {
  const config = load({});
  assert.equal(config.host, "127.0.0.1");
  assert.equal(config.port, 8420);
  assert.equal(config.tracker.intervalSeconds, 720);
  assert.equal(config.tracker.minIntervalSeconds, 240);
  assert.equal(config.tracker.udpPort, undefined);
  assert.equal(config.publicUrl, undefined);
});

test("the command line wins over variables, variables over the file, key by key", () => {
  const config = load({
    text: "host: 10.0.0.1\nport: 1\ntracker:\n  open: true\n  udpPort: 5\n",
    env: { EVERSEED_PORT: "2", EVERSEED_TRACKER_UDP_PORT: "6", EVERSEED_ALLOWED_HOSTS: "a, b" },
    overrides: { port: 3, host: undefined },
  });
  assert.equal(config.host, "10.0.0.1");
  assert.equal(config.port, 3);
  assert.deepEqual(config.allowedHosts, ["a", "b"]);
  assert.equal(config.tracker.open, true);
  assert.equal(config.tracker.udpPort, 6);
});

test("every key is also a variable, and an empty one is not there", () => {
  assert.ok(CONFIG_KEYS.some((key) => key.variable === "EVERSEED_ENGINE_DOWN_BYTES_PER_SECOND"));
  assert.ok(CONFIG_KEYS.some((key) => key.variable === "EVERSEED_DATA_DIR"));
  assert.equal(load({ env: { EVERSEED_PORT: "" } }).port, 8420);
});

test("variables of a service called everseed are neither settings nor mistakes", () => {
  const config = load({
    env: {
      EVERSEED_PORT: "tcp://10.0.0.7:8420",
      EVERSEED_ENGINE_PORT: "tcp://10.0.0.7:6881",
      EVERSEED_SERVICE_HOST: "10.0.0.7",
      EVERSEED_SERVICE_PORT: "8420",
      EVERSEED_SERVICE_PORT_HTTP: "8420",
      EVERSEED_PORT_8420_TCP: "tcp://10.0.0.7:8420",
      EVERSEED_PORT_8420_TCP_PROTO: "tcp",
      EVERSEED_PORT_8420_TCP_PORT: "8420",
      EVERSEED_PORT_8420_TCP_ADDR: "10.0.0.7",
      EVERSEED_HUB_SERVICE_HOST: "10.0.0.8",
      EVERSEED_HUB_PORT: "udp://10.0.0.8:8420",
    },
  });
  assert.equal(config.port, 8420);
});

test("HUB-15: names that look like settings are names, from a file that was written by a serialiser or a variable", () => {
  for (const siteName of [
    'a"b',
    "a\nport: 1",
    "port: 1",
    "a=b",
    "'",
    "2024",
    "true",
    "[a]",
    "#x",
    "\\n",
    "- a",
  ]) {
    const text = stringify({ siteName, host: "::1" });
    for (const sources of [
      { text },
      { env: { EVERSEED_SITE_NAME: siteName, EVERSEED_HOST: "::1" } },
    ]) {
      const config = load(sources);
      assert.deepEqual([config.siteName, config.host, config.port], [siteName, "::1", 8420], text);
    }
  }
});

test("an empty file is a file without keys", () => {
  assert.equal(load({ text: "" }).port, 8420);
  assert.equal(load({ text: "# nothing\n" }).port, 8420);
});

/** A section in which no key has a default is empty when those keys are taken out. */
function withoutEmptySections(yaml: string): string {
  const lines = yaml.split("\n").filter((line) => line.trim() !== "" && !line.startsWith("#"));
  const isEmpty = (at: number): boolean =>
    /^[a-zA-Z]+:$/.test(lines[at]!) && !lines[at + 1]?.startsWith("  ");
  return lines.filter((_line, at) => !isEmpty(at)).join("\n");
}

test("the template holds every key, changes nothing, and is right when its keys are uncommented", () => {
  const template = configTemplate();
  assert.deepEqual(load({ text: template }), load({}));
  // Comments have a space after their #; keys and sections follow it directly, or two columns deeper.
  const uncommented = template.replace(/^#(?=(?: {2})?[a-zA-Z]+:)/gm, "");
  const withDefaults = uncommented.replace(/^ *[a-zA-Z]+:$\n(?! {2}|# {3})/gm, "");
  assert.deepEqual(load({ text: withoutEmptySections(withDefaults) }), load({}));
  for (const key of CONFIG_KEYS) assert.ok(template.includes(key.variable), key.variable);
});

test("variables that are no settings, of ours and of the launcher, are no mistakes", () => {
  for (const name of ["EVERSEED_HOME", "EVERSEED_NOHUP", "EVERSEED_DEBUG"]) {
    loadConfig({ env: { [name]: "1" }, overrides: {} });
  }
});
