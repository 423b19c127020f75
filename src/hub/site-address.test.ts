import assert from "node:assert/strict";
import { test } from "node:test";
import { isReachableSite, localUrl, siteHosts } from "./site-address.ts";

const LOOPBACK = { address: "127.0.0.1", family: "IPv4", internal: true };
const OUTER_V6 = { address: "2001:db8::1", family: "IPv6", internal: false };
const OUTER_V4 = { address: "192.0.2.4", family: "IPv4", internal: false };

for (const [host, interfaces, url] of [
  ["127.0.0.1", [OUTER_V4], "http://127.0.0.1:8420"],
  ["::1", [OUTER_V4], "http://[::1]:8420"],
  ["hub.test", [OUTER_V4], "http://hub.test:8420"],
  ["0.0.0.0", [LOOPBACK, OUTER_V6, OUTER_V4], "http://192.0.2.4:8420"],
  ["::", [LOOPBACK, OUTER_V4], "http://192.0.2.4:8420"],
  ["0.0.0.0", [LOOPBACK, OUTER_V6], "http://127.0.0.1:8420"],
] as const) {
  test(`a server on ${host} with ${interfaces.length} interfaces is reached at ${url}`, () => {
    assert.equal(
      localUrl({ host, port: 8420 }, () => interfaces),
      url,
    );
  });
}

test("HUB-3: a site answers to its own names and to those that the owner allows, without ports", () => {
  const hosts = siteHosts(
    { allowedHosts: ["Files.test:8080", "[2001:DB8::7]"], host: "0.0.0.0" },
    "https://hub.test:8443",
  );
  assert.deepEqual([...hosts], ["files.test", "[2001:db8::7]", "hub.test", "0.0.0.0"]);
});

for (const [siteUrl, publicUrl, reachable] of [
  ["http://192.0.2.4:8420", undefined, true],
  ["http://hub.lan", undefined, true],
  ["http://127.0.0.1:8420", undefined, false],
  ["http://127.8.0.1:8420", undefined, false],
  ["http://[::1]:8420", undefined, false],
  ["http://localhost:8420", undefined, false],
  ["http://127.0.0.1:8420", "http://127.0.0.1:8420", true],
  ["https://hub.test", "https://hub.test", true],
] as const) {
  const how = publicUrl ? "as its owner says" : "where it listens";
  test(`a site at ${siteUrl} (${how}) is reached by others: ${reachable}`, () => {
    assert.equal(isReachableSite(publicUrl, siteUrl), reachable);
  });
}
