import assert from "node:assert/strict";
import { test } from "node:test";
import { HOST, cookieOf, hubWorld, PASSWORD, problemOf } from "./hub-world.ts";

const SAME = { origin: `http://${HOST}` };

test("HUB-1, HUB-2: before setup only this machine gets an answer, and only the setup page", async (t) => {
  const { call, page } = await hubWorld(t, { setUp: false });
  for (const path of ["/", "/publish", "/login", "/search?q=x", "/t/abc/x"]) {
    const response = await call(path);
    assert.equal(response.status, 303, path);
    assert.equal(response.headers.get("location"), "/setup");
  }
  assert.deepEqual(await problemOf(await call("/api/v1/torrents")), {
    status: 403,
    code: "setup_needed",
  });
  const { model } = await page("/setup");
  assert.ok(model.kind === "setup" && model.state === "open");
  const away = { remoteAddress: "192.168.1.9" };
  const elsewhere = await page("/setup", away);
  assert.ok(elsewhere.model.kind === "setup" && elsewhere.model.state === "elsewhere");
  assert.equal(elsewhere.model.dataFolder, "");
  assert.equal((await call("/", away)).status, 403);
  const json = { key: "x", name: "eve", password: PASSWORD };
  assert.deepEqual(await problemOf(await call("/api/v1/setup", { json, ...away })), {
    status: 403,
    code: "setup_needed",
  });
});

test("HUB-1: the form of the setup page creates the administrator, once", async (t) => {
  const { call, page, setupKey } = await hubWorld(t, { setUp: false });
  const form = { key: setupKey!, name: "ann", password: PASSWORD, siteName: "Tide tables" };
  const wrong = await call("/setup", { form: { ...form, key: "wrong" } });
  assert.equal(wrong.status, 403);
  const { model } = (await wrong.json()) as Awaited<ReturnType<typeof page>>;
  assert.ok(model.kind === "setup");
  assert.equal(model.problem?.field, "key");
  assert.match(model.problem.hint ?? "", /everseed hub setup-link/);
  assert.ok(!JSON.stringify(model).includes(PASSWORD));
  const made = await call("/setup", { form });
  assert.equal(made.status, 303);
  assert.equal(made.headers.get("location"), "/publish?first");
  const publish = await page("/publish?first", { headers: { cookie: cookieOf(made) } });
  assert.ok(publish.model.kind === "publish" && publish.model.first);
  assert.equal(publish.frame.siteName, "Tide tables");
  assert.equal((await call("/setup", { form })).status, 409);
  const again = await page("/setup");
  assert.ok(again.model.kind === "setup" && again.model.state === "done");
});

const nexts: [next: string, goesTo: string][] = [
  ["//evil.example", "/publish"],
  ["/\\evil.example", "/publish"],
  ["/\t/evil.example", "/publish"],
  ["https://evil.example/", "/publish"],
  ["javascript:alert(1)", "/publish"],
  ["/a\r\nset-cookie: x=y", "/publish"],
  ["", "/publish"],
  ["/account?x=1&y=%20", "/account?x=1&y=%20"],
];
for (const [next, goesTo] of nexts) {
  test(`HUB-23: after signing in, next=${JSON.stringify(next)} goes to ${goesTo}`, async (t) => {
    const { call } = await hubWorld(t);
    const form = { name: "ann", password: PASSWORD, next };
    const response = await call("/login", { form });
    assert.equal(response.status, 303);
    assert.equal(response.headers.get("location"), goesTo);
    const cookie = cookieOf(response);
    const there = await call(`/login?next=${encodeURIComponent(next)}`, { headers: { cookie } });
    assert.equal(there.headers.get("location"), goesTo);
  });
}

test("HUB-9: the sign-in page gives the same message for every wrong attempt, then how long to wait", async (t) => {
  const { call, page } = await hubWorld(t);
  const answers = new Set<string>();
  for (const name of ["ann", "nobody", "ann", "<b>", "x"]) {
    const response = await call("/login", { form: { name, password: "wrong" } });
    assert.equal(response.status, 401);
    const { model } = (await response.json()) as Awaited<ReturnType<typeof page>>;
    assert.ok(model.kind === "login");
    answers.add(model.problem?.message ?? "");
  }
  assert.equal(answers.size, 1);
  const response = await call("/login", { form: { name: "ann", password: PASSWORD } });
  assert.equal(response.status, 429);
  const { model } = (await response.json()) as Awaited<ReturnType<typeof page>>;
  assert.ok(model.kind === "login" && model.problem?.waitSeconds === 1);
});

test("HUB-10: signing out ends the session on the server", async (t) => {
  const { call, signIn } = await hubWorld(t);
  const cookie = await signIn();
  const out = await call("/logout", { form: {}, headers: { ...SAME, cookie } });
  assert.equal(out.status, 303);
  const who = await call("/api/v1/session", { headers: { cookie } });
  assert.deepEqual(await who.json(), { user: null });
});

test("HUB-10: the account page lists sessions and tokens, ends and revokes them, changes the password", async (t) => {
  const { call, page, signIn } = await hubWorld(t);
  const cookie = await signIn();
  const other = await signIn();
  const headers = { ...SAME, cookie };
  const first = await page("/account", { headers });
  assert.ok(first.model.kind === "account");
  const away = first.model.sessions.find((session) => !session.current);
  await call(`/account/sessions/${away!.id}/end`, { form: {}, headers });
  assert.deepEqual(await (await call("/api/v1/session", { headers: { cookie: other } })).json(), {
    user: null,
  });

  const made = await page("/account/tokens", {
    form: { name: "ci", scope: "publish", expiresInDays: "7" },
    headers,
  });
  assert.ok(made.model.kind === "account" && made.model.createdToken);
  const { token } = made.model.createdToken;
  assert.ok(!JSON.stringify((await page("/account", { headers })).model).includes(token));
  const authorization = `Bearer ${token}`;
  const by = await call("/api/v1/session", { headers: { authorization } });
  assert.equal(((await by.json()) as { user: { name: string } }).user.name, "ann");
  assert.equal((await call("/account", { headers: { authorization } })).status, 403);
  await call(`/account/tokens/${made.model.tokens[0]!.id}/revoke`, { form: {}, headers });
  assert.deepEqual(await (await call("/api/v1/session", { headers: { authorization } })).json(), {
    user: null,
  });

  const bad = await call("/account/tokens", { form: { name: "", scope: "root" }, headers });
  assert.equal(bad.status, 400);
  const wrong = await call("/account/password", {
    form: { current: "x", password: "another secret" },
    headers,
  });
  assert.equal(wrong.status, 401);
  const changed = await call("/account/password", {
    form: { current: PASSWORD, password: "another secret" },
    headers,
  });
  assert.equal(changed.status, 200);
  assert.equal((await call("/account", { headers: { cookie } })).status, 303);
  assert.equal((await call("/account", { headers: { cookie: cookieOf(changed) } })).status, 200);
});

test("HUB-10: ending one's current session signs out", async (t) => {
  const { call, page, signIn } = await hubWorld(t);
  const cookie = await signIn();
  const headers = { ...SAME, cookie };
  const { model } = await page("/account", { headers });
  assert.ok(model.kind === "account");
  const mine = model.sessions.find((session) => session.current)!;
  const ended = await call(`/account/sessions/${mine.id}/end`, { form: {}, headers });
  assert.deepEqual([ended.status, ended.headers.get("location")], [303, "/"]);
  const who = await call("/api/v1/session", { headers: { cookie } });
  assert.deepEqual(await who.json(), { user: null });
});

test("HUB-24: a token in the address is ignored", async (t) => {
  const { call, program } = await hubWorld(t);
  const { authorization } = await program();
  const token = authorization!.slice("Bearer ".length);
  for (const query of [`token=${token}`, `api_key=${token}`, `access_token=${token}`]) {
    const who = await call(`/api/v1/session?${query}`);
    assert.deepEqual(await who.json(), { user: null });
  }
});

test("HUB-24: a publish token cannot create tokens; an admin token can, and expires within a year", async (t) => {
  const { call, program } = await hubWorld(t);
  const json = { name: "x", scope: "admin", expiresInDays: 30 };
  const refused = await call("/api/v1/tokens", { json, headers: await program("publish") });
  assert.equal(refused.status, 403);
  const admin = await program("admin");
  const made = await call("/api/v1/tokens", { json, headers: admin });
  assert.equal(made.status, 201);
  for (const expiresInDays of [0, 367, -1, 1.5]) {
    const response = await call("/api/v1/tokens", {
      json: { ...json, expiresInDays },
      headers: admin,
    });
    assert.equal(response.status, 400, String(expiresInDays));
  }
});
