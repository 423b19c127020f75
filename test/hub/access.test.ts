import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { sql } from "kysely";
import { HOST, hubWorld, PASSWORD } from "./hub-world.ts";

// The table of all routes and who may use them (HUB-11). A route that is missing from it fails the first test.

const ROLES = ["stranger", "member", "administrator", "publish token", "admin token"] as const;
type Role = (typeof ROLES)[number];

const ALL = ROLES;
const SESSIONS: readonly Role[] = ["member", "administrator"];
const TOKEN_MAKERS: readonly Role[] = ["member", "administrator", "admin token"];
const PUBLISHERS: readonly Role[] = ["administrator", "publish token", "admin token"];
const ADMINISTRATORS: readonly Role[] = ["administrator", "admin token"];

const ACCESS: Readonly<Record<string, readonly Role[]>> = {
  "GET /": ALL,
  "GET /search": ALL,
  "GET /setup": ALL,
  "GET /login": ALL,
  "GET /help": ALL,
  "GET /t/:id/:slug?": ALL,
  "GET /t/:file{[0-9a-z]{1,32}\\.torrent}": ALL,
  "GET /t/:file{[0-9a-z]{1,32}\\.zip}": ALL,
  "GET /t/:id/files/:index{[0-9]{1,7}}/:name?": ALL,
  "GET /t/:id/seed/:path{.+}": ALL,
  "POST /t/:id/edit": PUBLISHERS,
  "POST /t/:id/remove": PUBLISHERS,
  "POST /t/:id/restore": PUBLISHERS,
  "GET /publish": PUBLISHERS,
  "POST /publish/torrent": PUBLISHERS,
  "POST /t/:id/cancel": PUBLISHERS,
  "POST /t/:id/retry": PUBLISHERS,
  "GET /admin/connections": ADMINISTRATORS,
  "POST /admin/connections": ADMINISTRATORS,
  "GET /transfers": ADMINISTRATORS,
  "POST /transfers/add": ADMINISTRATORS,
  "POST /transfers/:id/start": ADMINISTRATORS,
  "POST /transfers/:id/stop": ADMINISTRATORS,
  "POST /transfers/:id/remove": ADMINISTRATORS,
  "GET /transfers/:id/:tab?": ADMINISTRATORS,
  "GET /account": SESSIONS,
  "POST /setup": ALL,
  "POST /login": ALL,
  "POST /logout": ALL,
  "POST /account/tokens": SESSIONS,
  "POST /account/tokens/:id/revoke": SESSIONS,
  "POST /account/sessions/:id/end": SESSIONS,
  "POST /account/password": SESSIONS,
  "GET /api/v1/openapi.json": ALL,
  "GET /api/v1/torrents": ALL,
  "GET /api/v1/torrents/:id": ALL,
  "PATCH /api/v1/torrents/:id": PUBLISHERS,
  "DELETE /api/v1/torrents/:id": PUBLISHERS,
  "POST /api/v1/torrents/:id/restore": PUBLISHERS,
  "POST /api/v1/torrents/:id/version": PUBLISHERS,
  "GET /api/v1/torrents/:id/files": ALL,
  "GET /api/v1/torrents/:id/live": ALL,
  "GET /api/v1/torrents/:id/peers": ADMINISTRATORS,
  "POST /api/v1/fetches": PUBLISHERS,
  "POST /api/v1/fetches/torrent": PUBLISHERS,
  "GET /api/v1/fetches": PUBLISHERS,
  "GET /api/v1/fetches/:id": PUBLISHERS,
  "DELETE /api/v1/fetches/:id": PUBLISHERS,
  "POST /api/v1/drafts": PUBLISHERS,
  "GET /api/v1/drafts": PUBLISHERS,
  "GET /api/v1/drafts/:id": PUBLISHERS,
  "DELETE /api/v1/drafts/:id": PUBLISHERS,
  "POST /api/v1/drafts/:id/pieces": PUBLISHERS,
  "POST /api/v1/drafts/known": PUBLISHERS,
  "GET /api/v1/drafts/:id/content": PUBLISHERS,
  "PATCH /api/v1/drafts/:id/content": PUBLISHERS,
  "DELETE /api/v1/drafts/:id/content": PUBLISHERS,
  "OPTIONS /api/v1/drafts/:id/content": ALL,
  "GET /api/v1/reach": ADMINISTRATORS,
  "PATCH /api/v1/reach": ADMINISTRATORS,
  "GET /api/v1/status": ADMINISTRATORS,
  "GET /api/v1/node": ADMINISTRATORS,
  "POST /api/v1/node/reload": ADMINISTRATORS,
  "GET /api/v1/transfers": ADMINISTRATORS,
  "POST /api/v1/transfers": ADMINISTRATORS,
  "POST /api/v1/transfers/torrent": ADMINISTRATORS,
  "GET /api/v1/transfers/events": ADMINISTRATORS,
  "GET /api/v1/transfers/settings": ADMINISTRATORS,
  "PATCH /api/v1/transfers/settings": ADMINISTRATORS,
  "GET /api/v1/transfers/status": ADMINISTRATORS,
  "POST /api/v1/transfers/queue": ADMINISTRATORS,
  "POST /api/v1/transfers/batch": ADMINISTRATORS,
  "GET /api/v1/transfers/watch-folders": ADMINISTRATORS,
  "GET /api/v1/transfers/speed": ADMINISTRATORS,
  "GET /api/v1/transfers/:id/speed": ADMINISTRATORS,
  "GET /api/v1/transfers/:id/pieces": ADMINISTRATORS,
  "GET /api/v1/transfers/:id/log": ADMINISTRATORS,
  "GET /api/v1/transfers/:id": ADMINISTRATORS,
  "PATCH /api/v1/transfers/:id": ADMINISTRATORS,
  "DELETE /api/v1/transfers/:id": ADMINISTRATORS,
  "POST /api/v1/transfers/:id/move": ADMINISTRATORS,
  "GET /api/v1/transfers/:id/files": ADMINISTRATORS,
  "GET /api/v1/transfers/:id/files/:index/content": ADMINISTRATORS,
  "POST /api/v1/transfers/:id/files/:index/link": ADMINISTRATORS,
  "GET /api/v1/transfers/:id/peers": ADMINISTRATORS,
  "GET /api/v1/transfers/:id/trackers": ADMINISTRATORS,
  "POST /api/v1/transfers/:id/start": ADMINISTRATORS,
  "POST /api/v1/transfers/:id/stop": ADMINISTRATORS,
  "POST /api/v1/transfers/:id/recheck": ADMINISTRATORS,
  "POST /api/v1/transfers/:id/rename": ADMINISTRATORS,
  "POST /api/v1/transfers/:id/announce": ADMINISTRATORS,
  "POST /api/v1/setup": ALL,
  "GET /api/v1/session": ALL,
  "POST /api/v1/session": ALL,
  "DELETE /api/v1/session": ALL,
  "POST /api/v1/password": SESSIONS,
  "GET /api/v1/tokens": TOKEN_MAKERS,
  "POST /api/v1/tokens": TOKEN_MAKERS,
  "DELETE /api/v1/tokens/:id": TOKEN_MAKERS,
};

/** A body that every route can parse. */
const BODY = {
  name: "ann",
  current: PASSWORD,
  password: "long enough secret",
  folder: false,
  files: [{ path: "x", size: 1 }],
  scope: "publish",
  expiresInDays: 1,
  key: "x",
  pieces: { v1: "" },
  settings: {},
  publicKey: "00".repeat(32),
  sequence: "1",
  value: "de",
  signature: "00".repeat(64),
};

const MAGNET = `magnet:?xt=urn:btih:${"ab".repeat(20)}&dn=theirs`;
const MEMBER = "ben";

/** A hub that has everything a route may name, so that 404 is never an answer of the route itself. */
async function world(t: TestContext) {
  const made = await hubWorld(t);
  const { call, program, publish, store } = made;
  const torrent = await publish({ a: new Uint8Array([1]) });
  const headers = await program();
  const declared = await call("/api/v1/drafts", { headers, json: BODY });
  const draft = ((await declared.json()) as { id: string }).id;
  const begun = await call("/api/v1/fetches", { headers, json: { magnet: MAGNET } });
  assert.equal(begun.status, 201);
  const fetch = ((await begun.json()) as { id: string }).id;
  // An account other than the administrator's, with the same password. There is no registration yet.
  await sql`insert into user (id, name, email, emailVerified, createdAt, updatedAt, username, role)
    select ${MEMBER}, ${MEMBER}, ${`${MEMBER}@hub.invalid`}, 1, createdAt, updatedAt, ${MEMBER}, 'user'
    from user`.execute(store.db);
  await sql`insert into account (id, accountId, providerId, userId, password, createdAt, updatedAt)
    select ${MEMBER}, ${MEMBER}, providerId, ${MEMBER}, password, createdAt, updatedAt
    from account`.execute(store.db);
  return { ...made, torrent, draft, fetch };
}

type Prepared = Awaited<ReturnType<typeof world>>;

async function headersOf(
  role: Role,
  { program, signIn }: Prepared,
): Promise<Record<string, string>> {
  if (role === "stranger") return {};
  if (role === "publish token") return program("publish");
  if (role === "admin token") return program("admin");
  const cookie = await signIn(role === "member" ? MEMBER : "ann");
  return { cookie, origin: `http://${HOST}` };
}
/** Creates the object of a route, when a hub does not have one by default. @returns Its id. */
async function subjectOf(
  key: string,
  headers: Record<string, string>,
  prepared: Prepared,
): Promise<string> {
  const { torrent, draft, fetch, call, program } = prepared;
  if (key.includes("/drafts/")) return draft;
  if (key.includes("/fetches/") || /(?:retry|cancel)$/.test(key)) return fetch;
  if (key.endsWith("/restore")) {
    const removed = await call(`/api/v1/torrents/${torrent}`, {
      method: "DELETE",
      headers: await program("admin"),
    });
    assert.equal(removed.status, 200);
    return torrent;
  }
  // It belongs to the caller: objects of others do not exist for it.
  if (/tokens\/:id/.test(key)) {
    const made = await call("/api/v1/tokens", { headers, json: BODY });
    return made.status === 201 ? ((await made.json()) as { id: string }).id : "none";
  }
  if (key.includes("/sessions/:id") && "cookie" in headers) {
    const { rows } = await sql<{
      id: string;
    }>`select id from session order by createdAt desc`.execute(prepared.store.db);
    return rows[0]!.id;
  }
  return torrent;
}

async function mayEnter(key: string, role: Role, prepared: Prepared): Promise<boolean> {
  const [method = "", path = ""] = key.split(" ");
  const headers = await headersOf(role, prepared);
  const subject = await subjectOf(key, headers, prepared);
  const concrete = path
    .replace(/:file\{.*\.(torrent|zip)\}$/, `${prepared.torrent}.$1`)
    .replace(/:index(?:\{[^/]*\})?/, "0")
    .replace(/:path\{[^/]*\}/, "talks/a")
    .replace(/:(?:slug|name)\?/, "talks")
    .replace("/:tab?", "")
    .replace(":id", subject);
  const json = path.endsWith("/session") ? { ...BODY, password: PASSWORD } : BODY;
  const form = { name: "ann", current: PASSWORD, password: PASSWORD };
  const response = await prepared.call(concrete, {
    // The request by which tus asks for the offset; hono answers it with the routes for GET.
    method: key === "GET /api/v1/drafts/:id/content" ? "HEAD" : method,
    headers,
    ...(method === "POST" && (path.startsWith("/api/") ? { json } : { form })),
  });
  await response.body?.cancel();
  const { status } = response;
  assert.ok(status < 500, `${key} for ${role}: ${status}`);
  if (status === 303) return !response.headers.get("location")?.startsWith("/login");
  if (status === 401 || status === 403) return false;
  // Neither allowed nor refused: the route is missing, or it hides whose object it was asked for.
  assert.notEqual(status, 404, `${key} for ${role}`);
  return true;
}

test("HUB-11: the table of access lists every route of the hub, and no other", async (t) => {
  const { hub } = await hubWorld(t);
  const routes = new Set(hub.routes.map(({ method, path }) => `${method} ${path}`));
  assert.deepEqual([...routes].toSorted(), Object.keys(ACCESS).toSorted());
});

for (const [key, allowed] of Object.entries(ACCESS)) {
  test(`HUB-11: ${key} is for ${allowed === ALL ? "everybody" : allowed.join(", ")}`, async (t) => {
    for (const role of ROLES) {
      assert.equal(await mayEnter(key, role, await world(t)), allowed.includes(role), role);
    }
  });
}
