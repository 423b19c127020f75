import assert from "node:assert/strict";
import { test } from "node:test";
import { configSchema } from "../../src/config/config.ts";
import { runHub } from "../../src/daemon/run-hub.ts";
import { startHttpProxy } from "../fixtures/fake-proxy.ts";
import { temporaryFolder } from "../fixtures/temporary-folder.ts";

test("WIR-27: a hub behind a proxy takes no calls, has no DHT and no router, and its log says so without the password", async (t) => {
  const proxy = await startHttpProxy(t);
  const lines: string[] = [];
  const write = (text: string): void => void lines.push(text);
  const log = { debug: write, info: write, warn: write, error: write };
  const config = configSchema.parse({
    dataDir: temporaryFolder(t, "behind-proxy-"),
    port: 0,
    engine: { host: "127.0.0.1", proxy: `http://me:secret@127.0.0.1:${proxy.port}` },
    discovery: { dht: true, dhtBootstrap: ["127.0.0.1:9"] },
    router: { mapPorts: true },
  });
  const hub = await runHub(config, log);
  t.after(() => hub.stop());
  assert.equal(hub.peerPort, 0);
  assert.equal(hub.dht().state, "off");
  assert.match(hub.dht().words, /peers are reached through http:\/\/127\.0\.0\.1:\d+ only/);
  const told = lines.find((line) => line.startsWith("All goes through the proxy"));
  assert.match(told ?? "", /Off with any proxy: connections that peers open/);
  assert.ok(!lines.some((line) => line.includes("secret")), "house rule 10");
});
