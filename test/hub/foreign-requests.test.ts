import assert from "node:assert/strict";
import { test } from "node:test";
import { API_PREFIX } from "../../src/api/paths.ts";
import { HOST, hubWorld, PASSWORD, problemOf, type World } from "./hub-world.ts";

// Requests that a page on another port of this host can make a browser send, with the cookies of a signed-in user:
// cookies ignore ports, and over plain HTTP the browser does not say where a form came from (HUB-41).

const SAFE = new Set(["GET", "HEAD", "OPTIONS"]);

/** Every route that may change something, with its parameters filled in. */
function unsafeRoutes({ hub }: World): { method: string; path: string }[] {
  const routes = hub.routes.filter(({ method }) => !SAFE.has(method));
  return routes.map(({ method, path }) => ({ method, path: path.replaceAll(/:[a-z]+/g, "k3f9") }));
}

/** The types that a form can have, one that it cannot have, and none. */
const TYPES = [
  "application/x-www-form-urlencoded",
  "multipart/form-data; boundary=x",
  "text/plain",
  "application/json",
  undefined,
];

function sendersWith(cookie: string): Record<string, string>[] {
  const senders = [
    { cookie, origin: "null" },
    { cookie, origin: `http://${HOST.split(":")[0]}:1` },
    { cookie, origin: `http://${HOST}`, "sec-fetch-site": "same-site" },
    { cookie },
  ];
  return senders.flatMap((sender) =>
    TYPES.map((type) => ({ ...sender, ...(type && { "content-type": type }) })),
  );
}

test("HUB-41: no route of the API accepts a request from another port, whatever its content type", async (t) => {
  const world = await hubWorld(t);
  const cookie = await world.signIn();
  const routes = unsafeRoutes(world).filter(({ path }) => path.startsWith(API_PREFIX));
  assert.ok(routes.length >= 14, `${routes.length} routes`);
  for (const { method, path } of routes) {
    for (const headers of sendersWith(cookie)) {
      const response = await world.call(path, { method, headers, body: "x=1" });
      const why = `${method} ${path} ${JSON.stringify(headers)}`;
      assert.deepEqual(await problemOf(response), { status: 403, code: "cross_site" }, why);
    }
    // Even without a session: another page must not sign anybody in.
    const bare = await world.call(path, { method, headers: { origin: "null" }, body: "x=1" });
    assert.equal(bare.status, 403, `${method} ${path}`);
  }
  assert.deepEqual(world.logged, []);
});

test("HUB-41: outside the API every change needs a form with a token", async (t) => {
  const world = await hubWorld(t);
  const cookie = await world.signIn();
  const routes = unsafeRoutes(world).filter(({ path }) => !path.startsWith(API_PREFIX));
  assert.ok(routes.length >= 12, `${routes.length} routes`);
  const senders: Record<string, string>[] = [
    { cookie, origin: "null" },
    { cookie, origin: `http://${HOST}` },
    { origin: "null" },
    { cookie, "sec-fetch-site": "same-origin" },
  ];
  for (const { method, path } of routes) {
    assert.equal(method, "POST", path);
    for (const headers of senders) {
      const form = { "form-token": "", name: "ann", password: PASSWORD };
      const response = await world.call(path, { headers, form });
      assert.equal(response.status, 403, `${path} ${JSON.stringify(headers)}`);
      assert.match(await response.text(), /did not come from a page of this hub/);
    }
  }
});

test("HUB-41: a removed torrent and a .torrent file: what a plain form could do with them", async (t) => {
  const world = await hubWorld(t);
  const id = await world.publish({ a: new Uint8Array([1]) });
  const cookie = await world.signIn();
  const own = { cookie, origin: `http://${HOST}` };
  const foreign = {
    cookie,
    origin: "null",
    "content-type": "application/x-www-form-urlencoded",
  };
  const torrent = `/api/v1/torrents/${id}`;
  const fetches = "/api/v1/fetches/torrent";
  const file = new Uint8Array(await (await world.call(`/t/${id}.torrent`)).arrayBuffer());
  assert.equal((await world.call(torrent, { method: "DELETE", headers: own })).status, 200);
  const restore = { method: "POST", headers: foreign };
  assert.equal((await world.call(`${torrent}/restore`, restore)).status, 403);
  assert.equal((await world.call(torrent)).status, 410);
  assert.equal((await world.call(fetches, { headers: foreign, body: file })).status, 403);
  // Bytes without a content type are accepted from nobody.
  for (const type of [...TYPES, "application/x-bittorrents"]) {
    const headers = { ...(await world.program()), ...(type && { "content-type": type }) };
    const refused = await world.call(fetches, { headers, body: file });
    assert.deepEqual(await problemOf(refused), { status: 415, code: "unsupported" }, `${type}`);
  }
  const right = { ...own, "content-type": "Application/X-BitTorrent; x=y" };
  assert.equal((await world.call(fetches, { headers: right, body: file })).status, 201);
});

test("HUB-41: no route of the API that takes JSON accepts it under another type", async (t) => {
  const world = await hubWorld(t);
  const headers = { ...(await world.program("admin")), "content-type": "text/plain" };
  const document = (await (await world.call(`${API_PREFIX}/openapi.json`)).json()) as {
    paths: Record<string, Record<string, { requestBody?: { content: Record<string, unknown> } }>>;
  };
  let looked = 0;
  for (const [path, methods] of Object.entries(document.paths)) {
    for (const [method, { requestBody }] of Object.entries(methods)) {
      if (!requestBody?.content["application/json"]) continue;
      looked += 1;
      const concrete = path.replace("{id}", await world.publish({ a: new Uint8Array([looked]) }));
      const json = { name: "ann", password: PASSWORD, files: [{ path: "x", size: 1 }], v1: "" };
      const response = await world.call(concrete, {
        method: method.toUpperCase(),
        headers,
        body: JSON.stringify({ ...json, magnet: "x", comment: "", scope: "publish", key: "x" }),
      });
      assert.ok([400, 403, 415].includes(response.status), `${method} ${path} ${response.status}`);
    }
  }
  assert.ok(looked >= 7, `${looked} routes`);
});
