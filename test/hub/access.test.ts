import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { sql } from "kysely";
import { HOST, hubWorld, PASSWORD } from "./hub-world.ts";

// The table of all routes and who may use them (HUB-11). A route that is not in it fails the first test.

const ROLES = ["stranger", "member", "administrator", "publish token", "admin token"] as const;
type Role = (typeof ROLES)[number];

const ALL = ROLES;
const SESSIONS: readonly Role[] = ["member", "administrator"];
const TOKEN_MAKERS: readonly Role[] = ["member", "administrator", "admin token"];
const PUBLISHERS: readonly Role[] = ["administrator", "publish token", "admin token"];

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
  "GET /api/v1/torrents/:id/files": ALL,
  "GET /api/v1/torrents/:id/live": ALL,
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
  "GET /api/v1/drafts/:id/content": PUBLISHERS,
  "PATCH /api/v1/drafts/:id/content": PUBLISHERS,
  "DELETE /api/v1/drafts/:id/content": PUBLISHERS,
  "OPTIONS /api/v1/drafts/:id/content": ALL,
  "POST /api/v1/setup": ALL,
  "GET /api/v1/session": ALL,
  "POST /api/v1/session": ALL,
  "DELETE /api/v1/session": ALL,
  "POST /api/v1/password": SESSIONS,
  "GET /api/v1/tokens": TOKEN_MAKERS,
  "POST /api/v1/tokens": TOKEN_MAKERS,
  "DELETE /api/v1/tokens/:id": TOKEN_MAKERS,
};

/** Something that every route can make sense of. */
const BODY = {
  name: "ann",
  current: PASSWORD,
  password: "long enough secret",
  folder: false,
  files: [{ path: "x", size: 1 }],
  scope: "publish",
  expiresInDays: 1,
  key: "x",
};

async function world(t: TestContext) {
  const made = await hubWorld(t);
  const { call, program, publish } = made;
  const torrent = await publish({ a: new Uint8Array([1]) });
  const declared = await call("/api/v1/drafts", { headers: await program(), json: BODY });
  const draft = ((await declared.json()) as { id: string }).id;
  return { ...made, torrent, draft };
}

type Prepared = Awaited<ReturnType<typeof world>>;

async function headersOf(
  role: Role,
  { program, signIn, store }: Prepared,
): Promise<Record<string, string>> {
  if (role === "stranger") return {};
  if (role === "publish token") return program("publish");
  if (role === "admin token") return program("admin");
  // There is no registration yet; a role that was taken away is the same to every route.
  if (role === "member") await sql`update user set role = 'user'`.execute(store.db);
  const cookie = await signIn();
  return { cookie, origin: `http://${HOST}` };
}

function concrete(path: string, { torrent, draft }: Prepared): string {
  return path
    .replace(/:file\{.*\}$/, `${torrent}.torrent`)
    .replace(/:index\{[^/]*\}/, "0")
    .replace(/:(?:slug|name)\?/, "talks")
    .replace(":id", path.includes("/drafts/") ? draft : torrent);
}

async function mayEnter(key: string, role: Role, prepared: Prepared): Promise<boolean> {
  const [method = "", path = ""] = key.split(" ");
  const ofDraft = path.includes("/drafts/");
  const json = path.endsWith("/session") ? { ...BODY, password: PASSWORD } : BODY;
  const form = { name: "ann", current: PASSWORD, password: PASSWORD };
  const response = await prepared.call(concrete(path, prepared), {
    // How tus asks for the offset; hono answers it with the routes for GET.
    method: key === "GET /api/v1/drafts/:id/content" ? "HEAD" : method,
    headers: await headersOf(role, prepared),
    ...(method === "POST" && (path.startsWith("/api/") ? { json } : { form })),
  });
  await response.body?.cancel();
  const { status } = response;
  assert.ok(status < 500, `${key} for ${role}: ${status}`);
  if (status === 303) return !response.headers.get("location")?.startsWith("/login");
  // Somebody else's draft looks as if it did not exist.
  return status !== 401 && status !== 403 && !(ofDraft && status === 404);
}

test("HUB-11: the table of access has every route of the hub, and no other", async (t) => {
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
