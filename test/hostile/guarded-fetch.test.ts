import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { test, type TestContext } from "node:test";
import { GuardedFetch, type GuardedFetchOptions } from "../../src/guard/guarded-fetch.ts";
import { OwnNetworks } from "../../src/guard/own-networks.ts";
import { NodeHttpFetch, type NodeHttpFetchOptions } from "../../src/platform/http-fetch.ts";

const LIMITS = { timeoutMs: 10_000, bytesMax: 1000 };

/** It knows no interfaces, so that this machine's interfaces do not matter. */
const networks = new OwnNetworks(
  () => [],
  () => 0,
);

function guarded(
  nearPages: GuardedFetchOptions["nearPages"],
  lookUp?: NodeHttpFetchOptions["lookUp"],
): GuardedFetch {
  return new GuardedFetch({
    nearPages,
    networks,
    lenient: nearPages === "announce",
    makeFetch: (how) => new NodeHttpFetch({ ...how, userAgent: "x", lookUp }),
  });
}

/** A server on this machine that answers `/hop` with a redirect, and records its requests. */
async function service(t: TestContext, location: (port: number) => string) {
  const asked: string[] = [];
  const server = http.createServer((request, reply) => {
    asked.push(request.url ?? "");
    if (request.url === "/announce?hop") {
      reply.writeHead(302, { location: location((server.address() as AddressInfo).port) });
    }
    reply.end("d5:peers0:e");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return { asked, port: (server.address() as AddressInfo).port };
}

test("HUB-7: a name that changes its address is looked up once, and only the judged address is connected to", async (t) => {
  const { asked, port } = await service(t, () => "/");
  let lookups = 0;
  // First a distant address, then this machine: a second lookup would connect inside.
  const rebinding = (): Promise<string[]> => {
    lookups += 1;
    return Promise.resolve([lookups === 1 ? "127.0.0.1" : "127.0.0.2"]);
  };
  const fetch = guarded("announce", rebinding);
  const reply = await fetch.get(`http://rebind.example:${port}/announce`, LIMITS);
  assert.deepEqual([lookups, reply.from, asked], [1, "127.0.0.1", ["/announce"]]);

  const reversed = (): Promise<string[]> => {
    lookups += 1;
    return Promise.resolve([lookups === 1 ? "255.255.255.255" : "127.0.0.1"]);
  };
  lookups = 0;
  const other = guarded("all", reversed);
  await assert.rejects(other.get(`http://rebind.example:${port}/x`, LIMITS), {
    code: "address-refused",
  });
  assert.deepEqual([lookups, asked.length], [1, 1]);
});

test("HUB-7: the page rule applies to the redirect of a real server", async (t) => {
  const { asked, port } = await service(t, (own) => `http://127.0.0.1:${own}/admin?wipe=1`);
  const fetch = guarded("announce");
  await assert.rejects(fetch.get(`http://127.0.0.1:${port}/announce?hop`, LIMITS), {
    message: /in your own network: a torrent may name no other page/,
  });
  assert.deepEqual(asked, ["/announce?hop"]);
});
