import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import { test } from "node:test";
import { loadConfig } from "../../src/config/load-config.ts";
import { openHubRouter } from "../../src/daemon/hub-router.ts";
import { NodeClock } from "../../src/platform/node-clock.ts";
import { NodeRandom } from "../../src/platform/node-random.ts";
import { RouterCalls } from "../../src/platform/router-calls.ts";
import { SILENT_LOG } from "../../src/ports/log.ts";
import { until } from "../fixtures/until.ts";
import {
  type Answer,
  freeAddress,
  networkOf,
  openGateway,
  openService,
  US,
} from "./loopback-gateway.ts";
import type { Spoken } from "./sim-gateway.ts";

const LIMIT = { timeout: 30_000 };

for (const spoken of ["pcp", "natpmp", "upnp"] as const satisfies Spoken[]) {
  test(
    `BDR-2.4.1.1: ${spoken} over real sockets: ports are mapped, and given back at the end`,
    LIMIT,
    async (t) => {
      const router = await openGateway(t, { speaks: [spoken] });
      const outer: (number | undefined)[] = [];
      const service = openService(t, router, {
        onChanged: (_status, place) => outer.push(place?.port),
      });
      await until("ports are mapped", () => service.status().case === "mapped");
      assert.deepEqual(router.gateway.mappingsOf(US), [
        `tcp 6881 -> 6881 ${spoken}`,
        `udp 6881 -> 6881 ${spoken}`,
      ]);
      assert.deepEqual(service.outer(), { address: "9.1.2.3", port: 6881 });
      assert.equal(outer.at(-1), 6881);
      await service.close();
      assert.deepEqual(router.gateway.mappingsOf(US), []);
    },
  );
}

test(
  "HUB-2: of a hub on every address only the port for peers is mapped, and never that of the web site",
  LIMIT,
  async (t) => {
    for (const spoken of ["pcp", "natpmp", "upnp"] as const) {
      const router = await openGateway(t, { speaks: [spoken] });
      const config = loadConfig({
        env: {},
        overrides: { host: "0.0.0.0", port: 8420, engine: { port: 16_881 } },
      });
      let outerPort: number | undefined;
      const hub = openHubRouter(config, {
        clock: new NodeClock(),
        random: new NodeRandom(),
        log: SILENT_LOG,
        session: { port: 16_881, setOuterPort: (port) => (outerPort = port) },
        udp: { local: undefined },
        network: networkOf(router),
      });
      t.after(() => hub.close());
      await until("ports are mapped", () => hub.status().case === "mapped");
      assert.deepEqual(
        [...router.gateway.table].map(([key, { innerPort }]) => [key, innerPort]),
        [
          ["tcp 16881", 16_881],
          ["udp 16881", 16_881],
        ],
      );
      assert.equal(outerPort, 16_881);
      await hub.close();
    }
  },
);

test("HUB-2: a hub that only this machine reaches asks no router, and says why", async () => {
  const config = loadConfig({ env: {}, overrides: {} });
  const hub = openHubRouter(config, {
    clock: new NodeClock(),
    random: new NodeRandom(),
    log: SILENT_LOG,
    session: { port: 1, setOuterPort: () => assert.fail("nothing changes") },
    udp: { local: undefined },
    network: { places: () => assert.fail("nobody looks") },
  });
  assert.equal(hub.status().state, "off");
  assert.match(hub.status().words, /only this machine reaches the port for peers at 127\.0\.0\.1/);
  await hub.close();
});

test("BDR-2.4.1.2: a router is left alone when a person says so, wherever the hub listens", async () => {
  const overrides = { engine: { host: "0.0.0.0" }, router: { mapPorts: false } };
  const hub = openHubRouter(loadConfig({ env: {}, overrides }), {
    clock: new NodeClock(),
    random: new NodeRandom(),
    log: SILENT_LOG,
    session: { port: 8421, setOuterPort: () => assert.fail("nothing changes") },
    udp: { local: undefined },
    network: { places: () => assert.fail("nobody looks") },
  });
  assert.equal(hub.status().state, "off");
  assert.match(hub.status().words, /router\.mapPorts turns it off/);
  await hub.close();
});

test("WIR-26: house rule 8: a redirect of a router is not followed", LIMIT, async (t) => {
  let isReached = false;
  const victim = http.createServer(() => (isReached = true));
  victim.listen(0, freeAddress());
  await once(victim, "listening");
  t.after(() => victim.close());
  const { address, port } = victim.address() as { address: string; port: number };
  const router = await openGateway(t, { speaks: ["upnp"] }, (_request, response) =>
    response.writeHead(302, { location: `http://${address}:${port}/` }).end(),
  );
  openService(t, router);
  await until("the description is requested", () => router.paths.length > 0);
  // The next search would ask again: there is none within this time.
  await new Promise((resolve) => setTimeout(resolve, 300));
  assert.equal(isReached, false);
  assert.deepEqual(router.paths, ["/rootDesc.xml"]);
});

const endless: [what: string, answer: Answer][] = [
  [
    "a body without an end",
    (_request, response) => {
      const more = (): void => {
        while (!response.destroyed && response.write("<a>".repeat(10_000)));
      };
      response.on("drain", more);
      more();
    },
  ],
  [
    "a head without an end",
    (_request, response) =>
      response.socket?.write(`HTTP/1.1 200 OK\r\nX: ${"x".repeat(1_000_000)}`),
  ],
  ["no answer", () => undefined],
];
for (const [what, answer] of endless) {
  test(
    `WIR-26: a router with ${what} is given up, and no more is kept than allowed`,
    LIMIT,
    async (t) => {
      const { gateway } = await openGateway(t, { speaks: ["upnp"] }, answer);
      const sent = new RouterCalls().send({
        method: "GET",
        url: gateway.location,
        headers: {},
        timeoutMs: 500,
        bytesMax: 100_000,
        signal: new AbortController().signal,
      });
      const outcome = await sent.then(
        ({ body }) => body,
        (error: unknown) => error,
      );
      assert.ok(outcome === undefined || outcome instanceof Error, String(outcome));
    },
  );
}

for (const url of ["http://router.lan/d.xml", "https://127.0.0.1/d.xml", "file:///etc/passwd"]) {
  test(`WIR-26: house rule 8: a router is not called at ${url}`, async () => {
    const request = { method: "GET", url, headers: {}, timeoutMs: 500, bytesMax: 1 } as const;
    const { signal } = new AbortController();
    await assert.rejects(new RouterCalls().send({ ...request, signal }), { code: "bad-url" });
  });
}

test("an end that the router does not answer takes two seconds", LIMIT, async (t) => {
  const router = await openGateway(t, { speaks: ["natpmp"] });
  const service = openService(t, router);
  await until("ports are mapped", () => service.status().case === "mapped");
  router.gateway.answerMapping = () => undefined;
  const before = performance.now();
  await service.close();
  const tookMs = performance.now() - before;
  assert.ok(tookMs > 1_900, `${tookMs} ms`);
});
