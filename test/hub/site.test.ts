import assert from "node:assert/strict";
import { test } from "node:test";
import type { Page } from "../../src/api/pages.ts";
import { cookieOf, HOST, hubWorld, PASSWORD, problemOf, type World } from "./hub-world.ts";

const SAME = { origin: `http://${HOST}` };

const hosts: [host: string, answered: boolean][] = [
  ["evil.example", false],
  ["evil.example:8420", false],
  ["127.0.0.1.evil.example", false],
  ["localhost.evil.example", false],
  ["", false],
  ["127.0.0.1:1@evil.example", false],
  ["10.0.0.9", false],
  ["192.168.7.7:8420", true],
  ["localhost:8420", true],
  ["LOCALHOST", true],
  ["127.0.0.1", true],
  ["[::1]:8420", true],
  ["hub.example", true],
];
for (const [host, answered] of hosts) {
  test(`HUB-3: host ${JSON.stringify(host)} is ${answered ? "answered" : "refused with 421"}`, async (t) => {
    const { hub } = await hubWorld(t);
    for (const path of ["/", "/api/v1/session", "/announce?info_hash=x", "/assets/app.js"]) {
      const headers = new Headers(host ? { host } : {});
      const request = new Request(`http://127.0.0.1${path}`, { headers });
      const context = { remoteAddress: "192.168.7.1", localAddress: "192.168.7.7" };
      const response = await hub.handle(request, context);
      assert.equal(response.status === 421, !answered, `${path} ${response.status}`);
    }
  });
}

const early: [why: string, status: number, call: Parameters<World["call"]>[1]][] = [
  ["a name that is not ours (HUB-3)", 421, { headers: { host: "evil.example" } }],
  ["another site's form (HUB-4)", 403, { form: {}, headers: { origin: "http://evil.example" } }],
  ["a compressed body (HUB-8)", 415, { form: {}, headers: { "content-encoding": "gzip" } }],
];
for (const [why, status, request] of early) {
  test(`${why} is refused with a page for browsers, text for others, JSON for programs`, async (t) => {
    const { call } = await hubWorld(t);
    const ask = (path: string, accept: string) =>
      call(path, { ...request, headers: { ...request?.headers, accept } });
    const page = await ask("/login", "text/html,application/xhtml+xml,*/*;q=0.8");
    assert.equal(page.status, status);
    assert.match(page.headers.get("content-type")!, /^text\/html/);
    assert.equal(page.headers.get("cache-control"), "no-store");
    const html = await page.text();
    assert.match(html, new RegExp(`"kind":"message","status":${status},`));
    // The page repeats nothing about this hub and nothing from the request.
    assert.doesNotMatch(html, /Harbour|evil|0\.0\.0|<script src|<link/);
    assert.match(
      page.headers.get("content-security-policy")!,
      /^default-src 'none'; style-src 'sha256-/,
    );
    const words = await ask("/login", "*/*");
    assert.equal(words.status, status);
    assert.match(words.headers.get("content-type")!, /^text\/plain/);
    const json = await ask("/api/v1/session", "text/html");
    assert.equal(json.status, status);
    assert.match(json.headers.get("content-type")!, /json/);
  });
}

const senders: [who: string, headers: Record<string, string>, allowed: boolean][] = [
  ["another site's script", { origin: "http://evil.example" }, false],
  ["another site's form", { origin: "http://evil.example", "sec-fetch-site": "cross-site" }, false],
  ["a sandboxed frame", { origin: "null", "sec-fetch-site": "cross-site" }, false],
  ["another port of this machine", { origin: "http://127.0.0.1:9" }, false],
  ["a sibling site", { origin: `http://${HOST}`, "sec-fetch-site": "same-site" }, false],
  ["a cookie without any origin", { cookie: "a=b" }, false],
  ["our own script", SAME, true],
  ["our own page", { origin: "null", "sec-fetch-site": "same-origin" }, true],
  ["a program", {}, true],
];
for (const [who, headers, allowed] of senders) {
  test(`HUB-4: ${who} ${allowed ? "may" : "may not"} change something`, async (t) => {
    const { call } = await hubWorld(t);
    const json = { name: "ann", password: PASSWORD };
    const response = await call("/api/v1/session", { headers, json });
    assert.equal(response.status, allowed ? 200 : 403);
    if (!allowed) assert.deepEqual(await problemOf(response), { status: 403, code: "cross_site" });
  });
}

test("HUB-4: a cookie alone signs in, and GET changes nothing", async (t) => {
  const { call, signIn } = await hubWorld(t);
  const cookie = await signIn();
  for (const path of ["/logout", "/account/tokens", "/api/v1/setup", "/account/password"]) {
    assert.equal((await call(path, { headers: { cookie } })).status, 404, path);
  }
  const who = await call("/api/v1/session", { headers: { cookie } });
  assert.equal(((await who.json()) as { user: { name: string } }).user.name, "ann");
});

test("HUB-5, HUB-16, HUB-17: every answer except a tracker's has the headers, even refusals and files", async (t) => {
  const { call } = await hubWorld(t);
  for (const path of [
    "/",
    "/nothing",
    "/api/v1/nothing",
    "/assets/app.js",
    "/announce/nothing",
    "/t/zzzzzzzz.torrent",
  ]) {
    const { headers } = await call(path);
    assert.equal(headers.get("x-content-type-options"), "nosniff", path);
    assert.equal(headers.get("referrer-policy"), "no-referrer", path);
    assert.match(headers.get("content-security-policy") ?? "", /frame-ancestors 'none'/, path);
    assert.doesNotMatch(headers.get("content-security-policy") ?? "", /unsafe/, path);
    assert.equal(headers.get("x-powered-by"), null);
  }
});

const outside = [
  "/assets/../everseed.db",
  "/assets/..%2feverseed.db",
  "/assets/%2e%2e/everseed.db",
  "/assets/..\\everseed.db",
  "/assets/app.js%00",
  "/assets//app.js",
  "/assets/",
  "/t/k3f9k3f9/files/../../0/x",
  "/t/k3f9k3f9/files/-1/x",
  "/t/k3f9k3f9/files/1e3/x",
  "/t/k3f9k3f9/files/99999999999/x",
  "/t/../everseed.db",
  "/t/%2e%2e%2feverseed.torrent",
  "//etc/passwd",
];
for (const path of outside) {
  test(`HUB-6: ${path} finds nothing`, async (t) => {
    const { call, publish } = await hubWorld(t);
    await publish({ a: new Uint8Array([1]) });
    assert.equal((await call(path)).status, 404);
  });
}

const bodies: [
  why: string,
  status: number,
  call: { headers?: Record<string, string>; body: string },
][] = [
  ["no JSON", 400, { headers: { "content-type": "application/json" }, body: "{" }],
  ["another type", 415, { headers: { "content-type": "text/plain" }, body: "{}" }],
  ["wrong shapes", 400, { headers: { "content-type": "application/json" }, body: '{"name":1}' }],
  ["a list", 400, { headers: { "content-type": "application/json" }, body: "[]" }],
  [
    "__proto__",
    400,
    { headers: { "content-type": "application/json" }, body: '{"__proto__":{"name":"ann"}}' },
  ],
  [
    "too many bytes",
    413,
    { headers: { "content-type": "application/json" }, body: `"${"x".repeat(70_000)}"` },
  ],
  [
    "gzip",
    415,
    { headers: { "content-type": "application/json", "content-encoding": "gzip" }, body: "x" },
  ],
];
for (const [why, status, call] of bodies) {
  test(`HUB-8: a body with ${why} is refused with ${status}`, async (t) => {
    const world = await hubWorld(t);
    const response = await world.call("/api/v1/session", { method: "POST", ...call });
    assert.equal(response.status, status);
    assert.match(response.headers.get("content-type") ?? "", /json/);
    assert.deepEqual(world.logged, []);
  });
}

test("HUB-8: an endless form is refused when it is too long", async (t) => {
  const { call } = await hubWorld(t);
  let sent = 0;
  const body = new ReadableStream({
    pull(controller) {
      sent += 10_000;
      controller.enqueue(new TextEncoder().encode("x".repeat(10_000)));
    },
  });
  const headers = { "content-type": "application/x-www-form-urlencoded" };
  const response = await call("/login", { body, headers });
  assert.equal(response.status, 413);
  assert.ok(sent < 200_000, `${sent}`);
});

test("an internal error has an id that is in the log, and reveals nothing else", async (t) => {
  const { call, parts, logged } = await hubWorld(t);
  parts.catalogue.find = async () => {
    throw new Error("secret detail");
  };
  const response = await call("/api/v1/torrents/x");
  assert.equal(response.status, 500);
  const text = await response.text();
  assert.ok(!text.includes("secret detail"));
  const { error } = JSON.parse(text) as { error: { id: string } };
  assert.ok(logged[0]?.includes(error.id) && logged[0].includes("secret detail"));
});

test("the OpenAPI document names every route of the API", async (t) => {
  const { call } = await hubWorld(t);
  const document = (await (await call("/api/v1/openapi.json")).json()) as {
    paths: Record<string, unknown>;
    components: { schemas: Record<string, unknown> };
  };
  assert.deepEqual(Object.keys(document.paths).toSorted(), [
    "/api/v1/drafts",
    "/api/v1/drafts/known",
    "/api/v1/drafts/{id}",
    "/api/v1/drafts/{id}/pieces",
    "/api/v1/fetches",
    "/api/v1/fetches/torrent",
    "/api/v1/fetches/{id}",
    "/api/v1/node",
    "/api/v1/node/reload",
    "/api/v1/password",
    "/api/v1/reach",
    "/api/v1/session",
    "/api/v1/setup",
    "/api/v1/status",
    "/api/v1/tokens",
    "/api/v1/tokens/{id}",
    "/api/v1/torrents",
    "/api/v1/torrents/{id}",
    "/api/v1/torrents/{id}/files",
    "/api/v1/torrents/{id}/live",
    "/api/v1/torrents/{id}/peers",
    "/api/v1/torrents/{id}/restore",
    "/api/v1/torrents/{id}/version",
    "/api/v1/transfers",
    "/api/v1/transfers/batch",
    "/api/v1/transfers/events",
    "/api/v1/transfers/queue",
    "/api/v1/transfers/settings",
    "/api/v1/transfers/speed",
    "/api/v1/transfers/status",
    "/api/v1/transfers/torrent",
    "/api/v1/transfers/watch-folders",
    "/api/v1/transfers/{id}",
    "/api/v1/transfers/{id}/announce",
    "/api/v1/transfers/{id}/files",
    "/api/v1/transfers/{id}/files/{index}/content",
    "/api/v1/transfers/{id}/files/{index}/link",
    "/api/v1/transfers/{id}/log",
    "/api/v1/transfers/{id}/move",
    "/api/v1/transfers/{id}/peers",
    "/api/v1/transfers/{id}/pieces",
    "/api/v1/transfers/{id}/recheck",
    "/api/v1/transfers/{id}/rename",
    "/api/v1/transfers/{id}/speed",
    "/api/v1/transfers/{id}/start",
    "/api/v1/transfers/{id}/stop",
    "/api/v1/transfers/{id}/trackers",
  ]);
  for (const name of ["Draft", "DeclaredDraft", "TorrentDetail", "TorrentList", "Problem"]) {
    assert.ok(name in document.components.schemas, name);
  }
});

test("strangers who come in the same second share one rendering; a new publication shows at once", async (t) => {
  const { call, page, publish, signIn, clock, parts } = await hubWorld(t);
  let renderings = 0;
  const renderer = await parts.renderer();
  const counted: typeof renderer = {
    render: async (model) => {
      renderings += 1;
      return renderer.render(model);
    },
  };
  Object.assign(parts, { renderer: async () => counted });
  await Promise.all(Array.from({ length: 20 }, () => call("/")));
  assert.equal(renderings, 1);
  await call("/", { headers: { host: "hub.example" } });
  assert.equal(renderings, 2, "links follow the host");
  await call("/", { headers: { cookie: await signIn() } });
  assert.equal(renderings, 3, "who is signed in has an own page");
  await publish({ a: new Uint8Array([1]) });
  const { model } = await page("/");
  assert.ok(model.kind === "catalogue" && model.list.total === 1);
  const before = renderings;
  await call("/");
  assert.equal(renderings, before);
  clock.wall += 1000;
  await call("/");
  assert.equal(renderings, before + 1);
  for (let count = 0; count < 1000; count += 1) await call(`/search?q=${count}`);
});

test("assets are sent compressed to clients that accept it, and are cached for ever", async (t) => {
  const { call } = await hubWorld(t);
  const plain = await call("/assets/app.js");
  assert.deepEqual(new Uint8Array(await plain.arrayBuffer()), new Uint8Array([1, 2]));
  const packed = await call("/assets/app.js", { headers: { "accept-encoding": "gzip, br" } });
  assert.equal(packed.headers.get("content-encoding"), "gzip");
  assert.match(packed.headers.get("cache-control") ?? "", /immutable/);
});

const FORMS: readonly (readonly [path: string, form: Record<string, string>])[] = [
  ["/login", { name: "ann", password: PASSWORD }],
  ["/logout", {}],
  ["/account/tokens", { name: "x", scope: "admin", expiresInDays: "1" }],
  ["/account/tokens/x/revoke", {}],
  ["/account/sessions/x/end", {}],
  ["/account/password", { current: PASSWORD, password: "long enough secret" }],
];

for (const [path, form] of FORMS) {
  test(`HUB-4: a form for ${path} that no page of ours created is refused`, async (t) => {
    const { call, signIn, accounts, userId, logged } = await hubWorld(t);
    const cookie = await signIn();
    const another = await signIn();
    const stranger = accounts.forms.issue({ kind: "stranger" }, null);
    const foreign = [
      // Another port of this host, over http: no Sec-Fetch-Site, and a page that sends no referrer.
      { cookie, origin: "null" },
      { cookie, origin: `http://${HOST}` },
      { cookie: "everseed.form=00", origin: "null" },
    ];
    const { value } = await accounts.identify({
      cookie: another,
      authorization: null,
      userAgent: null,
      address: "127.0.0.1",
    });
    const tokens = ["", "0".repeat(64), stranger.token, accounts.forms.issue(value, another).token];
    for (const headers of foreign) {
      for (const token of tokens) {
        const response = await call(path, { headers, form: { ...form, "form-token": token } });
        assert.equal(response.status, 403, JSON.stringify(headers));
        assert.match(await response.text(), /did not come from a page of this hub/);
      }
    }
    const own = await accounts.identify({
      cookie,
      authorization: null,
      userAgent: null,
      address: "127.0.0.1",
    });
    assert.equal(own.value.kind, "user", "the session goes on");
    assert.deepEqual(await accounts.tokens(userId), []);
    assert.deepEqual(logged, []);
  });
}

test("HUB-4: a stranger's form belongs to the browser that loaded it, and a session's form to the session", async (t) => {
  const { call, page } = await hubWorld(t);
  const loaded = await call("/login");
  const chance = cookieOf(loaded);
  assert.match(
    loaded.headers.get("set-cookie") ?? "",
    /everseed\.form=.*HttpOnly; SameSite=Strict/,
  );
  const token = ((await loaded.json()) as Page).frame.formToken;
  const headers = { cookie: chance, origin: "null" };
  const form = { name: "ann", password: PASSWORD, "form-token": token };
  const signedIn = await call("/login", { headers, form });
  assert.equal(signedIn.status, 303);
  const session = cookieOf(signedIn);
  const frame = (await page("/account", { headers: { cookie: session } })).frame;
  assert.notEqual(frame.formToken, token);
  const out = await call("/logout", {
    headers: { cookie: `${session}; ${chance}`, origin: "null" },
    form: { "form-token": frame.formToken },
  });
  assert.equal(out.status, 303);
  assert.equal((await page("/")).frame.formToken, "", "pages that all strangers share have none");
});
