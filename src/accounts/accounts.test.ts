import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import type { Clock } from "../ports/clock.ts";
import { SILENT_LOG } from "../ports/log.ts";
import type { PasswordHash } from "../ports/password-hash.ts";
import { openStore } from "../store/open-store.ts";
import { Accounts, type Credentials } from "./accounts.ts";
import { loadAuthLibrary } from "./auth-library.ts";

const PASSWORD = "correct horse battery";

/** Counts how often a password is judged, which takes real time. */
class CountingHash implements PasswordHash {
  work = 0;
  /** Awaited after the next password was judged, before the result is returned. */
  judged: (() => Promise<void>) | undefined;
  async hash(password: string): Promise<string> {
    this.work += 1;
    return `hash of ${password}`;
  }
  async verify(hash: string, password: string): Promise<boolean> {
    this.work += 1;
    const isRight = hash === `hash of ${password}`;
    const { judged } = this;
    this.judged = undefined;
    await judged?.();
    return isRight;
  }
}

const stranger: Credentials = {
  cookie: null,
  authorization: null,
  userAgent: "test",
  address: "127.0.0.1",
};

async function world(t: TestContext) {
  const store = await openStore(":memory:");
  t.after(() => store.close());
  let now = Date.now();
  const clock: Clock = {
    nowMs: () => now,
    wallMs: () => now,
    // Only the count of failed sign-ins uses one.
    startTimer: () => ({ cancel: () => undefined }),
  };
  const passwords = new CountingHash();
  const accounts = new Accounts({
    db: store.db,
    accounts: store.accounts,
    settings: store.settings,
    secret: "0123456789abcdef".repeat(4),
    siteUrl: "http://127.0.0.1:8080",
    passwords,
    clock,
    random: { below: () => 0, bytes: (length) => new Uint8Array(length).fill(now & 255) },
    log: SILENT_LOG,
  });
  return { store, accounts, passwords, pass: (ms: number) => void (now += ms) };
}

function withCookies(cookies: readonly string[]): Credentials {
  return { ...stranger, cookie: cookies.map((cookie) => cookie.split(";")[0]).join("; ") };
}

async function signedIn(t: TestContext) {
  const all = await world(t);
  const id = await all.accounts.createAdministrator("Ann", PASSWORD);
  const { cookies } = await all.accounts.signIn("ann", PASSWORD, stranger);
  return { ...all, id, cookies, me: withCookies(cookies) };
}

test("STO-8: a clock that jumps a day, forth or back, signs nobody out", async (t) => {
  const { accounts, me, pass } = await signedIn(t);
  const start = Date.now();
  const day = 86_400_000;
  t.mock.timers.enable({ apis: ["Date"], now: start });
  for (const [jump, at] of [
    [day, start + day],
    [-2 * day, start - day],
    [day, start],
  ] as const) {
    pass(jump);
    t.mock.timers.setTime(at);
    assert.equal((await accounts.identify(me)).value.kind, "user");
    const { cookies } = await accounts.signIn("ann", PASSWORD, stranger);
    assert.equal((await accounts.identify(withCookies(cookies))).value.kind, "user");
  }
});

test("HUB-1: only the right key makes an administrator", async (t) => {
  const { accounts, pass } = await world(t);
  const input = { name: "ann", password: PASSWORD };
  await assert.rejects(accounts.setUp({ ...input, key: "" }, stranger), { code: "setup-done" });
  const key = await accounts.openSetup();
  assert.ok(key !== undefined && accounts.setupOpen);
  assert.equal(await accounts.openSetup(), key, "asking again shows the same key");
  for (const wrong of ["", "x", key.slice(1), `${key}0`]) {
    await assert.rejects(accounts.setUp({ ...input, key: wrong }, stranger), {
      code: "wrong-setup-key",
    });
  }
  pass(30 * 60_000);
  await assert.rejects(accounts.setUp({ ...input, key }, stranger), { code: "wrong-setup-key" });
});

const weak: [name: string, password: string, code: string][] = [
  ["a", PASSWORD, "bad-name"],
  ["ann smith", PASSWORD, "bad-name"],
  ["<script>", PASSWORD, "bad-name"],
  ["ann", "short", "weak-password"],
  ["ann", "aaaaaaaaaaaa", "weak-password"],
  ["annabella", "annabella1", "weak-password"],
  ["ann", "x1".repeat(200), "weak-password"],
];
for (const [name, password, code] of weak) {
  test(`setup refuses ${name} with ${password.slice(0, 12)} (${code}), and the key stays good`, async (t) => {
    const { accounts } = await world(t);
    const key = (await accounts.openSetup())!;
    await assert.rejects(accounts.setUp({ key, name, password }, stranger), { code });
    const { value } = await accounts.setUp({ key, name: "bob", password: PASSWORD }, stranger);
    assert.equal(value.kind, "user");
  });
}

test("HUB-1: the key works once; afterwards there is no setup", async (t) => {
  const { accounts } = await world(t);
  const key = (await accounts.openSetup())!;
  const input = { key, name: "ann", password: PASSWORD };
  const outcomes = await Promise.allSettled([
    accounts.setUp(input, stranger),
    accounts.setUp({ ...input, name: "eve" }, stranger),
  ]);
  assert.deepEqual(
    outcomes.map((outcome) => outcome.status),
    ["fulfilled", "rejected"],
  );
  assert.equal(accounts.setupOpen, false);
  assert.equal(await accounts.openSetup(), undefined);
  await assert.rejects(accounts.createAdministrator("eve", PASSWORD), { code: "setup-done" });
});

test("HUB-9: a wrong password and an unknown name get one answer and take the same work", async (t) => {
  const { accounts, passwords } = await world(t);
  await accounts.createAdministrator("ann", PASSWORD);
  const refusals: [string, number][] = [];
  for (const name of ["ann", "nobody", "", "no such name!", "x".repeat(200)]) {
    const before = passwords.work;
    await assert.rejects(accounts.signIn(name, "wrong password", stranger), (error: Error) => {
      refusals.push([error.message, passwords.work - before]);
      return true;
    });
  }
  assert.deepEqual(new Set(refusals.map(String)), new Set(["Name or password is wrong.,1"]));
});

test("HUB-9: after some wrong tries there is a wait, and a waiting try costs no work", async (t) => {
  const { accounts, passwords, pass } = await world(t);
  await accounts.createAdministrator("ann", PASSWORD);
  for (let tries = 0; tries < 5; tries += 1) {
    await assert.rejects(accounts.signIn("ann", "wrong", stranger), { code: "wrong-password" });
  }
  const before = passwords.work;
  await assert.rejects(accounts.signIn("ann", PASSWORD, stranger), { code: "wait", waitMs: 1000 });
  assert.equal(passwords.work, before);
  pass(1000);
  assert.equal((await accounts.signIn("ann", PASSWORD, stranger)).value.kind, "user");
});

test("HUB-9: strangers' guesses at the owner's name do not lock out the owner's browser", async (t) => {
  const { accounts, cookies } = await signedIn(t);
  for (let tries = 0; tries < 60; tries += 1) {
    const guesser = { ...stranger, address: `10.0.0.${tries}` };
    await accounts.signIn("ann", "wrong", guesser).catch(() => undefined);
  }
  const elsewhere = { ...stranger, address: "10.9.9.9" };
  await assert.rejects(accounts.signIn("ann", PASSWORD, elsewhere), { code: "wait" });
  const device = cookies.find((cookie) => cookie.startsWith("everseed.device="))!.split(";")[0]!;
  const signedInAgain = await accounts.signIn("ann", PASSWORD, { ...elsewhere, cookie: device });
  assert.equal(signedInAgain.value.kind, "user");
});

test("HUB-9: guesses at once cost the work of two", async (t) => {
  const { accounts, passwords } = await world(t);
  await accounts.createAdministrator("ann", PASSWORD);
  const before = passwords.work;
  const outcomes = await Promise.allSettled(
    Array.from({ length: 100 }, () => accounts.signIn("ann", "wrong", stranger)),
  );
  assert.ok(outcomes.every(({ status }) => status === "rejected"));
  assert.equal(passwords.work - before, 2);
});

test("HUB-10: the cookie is HttpOnly and SameSite=Lax, new at each sign-in, useless after signing out", async (t) => {
  const { accounts, cookies, me } = await signedIn(t);
  assert.deepEqual(
    cookies.map((cookie) => cookie.split("=")[0]),
    ["everseed.session_token", "everseed.device"],
  );
  assert.match(cookies[0]!, /HttpOnly/);
  assert.match(cookies[0]!, /SameSite=Lax/);
  assert.match(cookies[0]!, /Path=\//);
  const again = await accounts.signIn("ann", PASSWORD, me);
  assert.notEqual(again.cookies[0], cookies[0]);
  const who = await accounts.identify(me);
  assert.deepEqual(who.value, {
    ...who.value,
    kind: "user",
    name: "Ann",
    role: "admin",
    by: "session",
  });
  const ended = await accounts.signOut(me);
  assert.ok(ended.every((cookie) => /Max-Age=0/.test(cookie)));
  assert.equal((await accounts.identify(me)).value.kind, "stranger");
  assert.equal((await accounts.identify(withCookies(again.cookies))).value.kind, "user");
});

test("HUB-10: over https the cookie is Secure", async (t) => {
  const store = await openStore(":memory:");
  t.after(() => store.close());
  const secure = new Accounts({
    db: store.db,
    accounts: store.accounts,
    settings: store.settings,
    secret: "0123456789abcdef".repeat(4),
    siteUrl: "https://hub.example",
    passwords: new CountingHash(),
    clock: { nowMs: () => 0, wallMs: () => Date.now(), startTimer: () => assert.fail() },
    random: { below: () => 0, bytes: (length) => new Uint8Array(length) },
    log: SILENT_LOG,
  });
  await secure.createAdministrator("ann", PASSWORD);
  const { cookies } = await secure.signIn("ann", PASSWORD, stranger);
  assert.match(cookies[0]!, /; Secure/);
  assert.equal((await secure.identify(withCookies(cookies))).value.kind, "user");
});

test("HUB-10: a session ends for good after 90 days", async (t) => {
  const { accounts, me, pass } = await signedIn(t);
  pass(91 * 86_400_000);
  const who = await accounts.identify(me);
  assert.equal(who.value.kind, "stranger");
  assert.ok(who.cookies.length > 0);
});

test("HUB-10: sessions are listed and ended; a new password ends the others", async (t) => {
  const { accounts, me } = await signedIn(t);
  const other = withCookies((await accounts.signIn("ann", PASSWORD, stranger)).cookies);
  const third = withCookies((await accounts.signIn("ann", PASSWORD, stranger)).cookies);
  const sessions = await accounts.sessions(me);
  assert.equal(sessions.length, 3);
  assert.equal(sessions.filter((session) => session.current).length, 1);
  assert.ok(!JSON.stringify(sessions).includes("token"));
  const [current] = (await accounts.sessions(third)).filter((session) => session.current);
  await accounts.endSession(current!.id, me);
  assert.equal((await accounts.identify(third)).value.kind, "stranger");
  await assert.rejects(accounts.endSession(current!.id, me), { code: "not-found" });

  const actor = (await accounts.identify(me)).value;
  assert.ok(actor.kind === "user");
  const change = { current: PASSWORD, password: "another long secret" };
  await assert.rejects(accounts.changePassword(actor, { ...change, current: "wrong" }, me), {
    code: "wrong-password",
  });
  const cookies = await accounts.changePassword(actor, change, me);
  assert.equal((await accounts.identify(other)).value.kind, "stranger");
  assert.equal((await accounts.identify(withCookies(cookies))).value.kind, "user");
  await assert.rejects(accounts.signIn("ann", PASSWORD, stranger), { code: "wrong-password" });
});

const OTHER = "another long secret";

function sessionRows(store: Awaited<ReturnType<typeof openStore>>) {
  return store.db
    .$extendTables<{ session: { token: string } }>()
    .selectFrom("session")
    .select("token")
    .execute();
}

test("HUB-46: a sign-in that was judged before `hub password` changed the password gets no session", async (t) => {
  const { accounts, passwords, store } = await signedIn(t);
  passwords.judged = () => accounts.resetPassword("ann", OTHER);
  await assert.rejects(accounts.signIn("ann", PASSWORD, stranger), { code: "wrong-password" });
  assert.equal(passwords.judged, undefined);
  assert.deepEqual(await sessionRows(store), []);
  const { cookies } = await accounts.signIn("ann", OTHER, stranger);
  assert.equal((await accounts.identify(withCookies(cookies))).value.kind, "user");
});

test("HUB-46: a sign-in that was judged before the page changed the password gets no session", async (t) => {
  const { accounts, passwords, store, me } = await signedIn(t);
  const actor = (await accounts.identify(me)).value;
  assert.ok(actor.kind === "user");
  let cookies: readonly string[] = [];
  passwords.judged = async () => {
    cookies = await accounts.changePassword(actor, { current: PASSWORD, password: OTHER }, me);
  };
  await assert.rejects(accounts.signIn("ann", PASSWORD, stranger), { code: "wrong-password" });
  assert.equal((await sessionRows(store)).length, 1);
  assert.equal((await accounts.identify(withCookies(cookies))).value.kind, "user");
});

test("HUB-46: a change by the page that was judged before `hub password` does not undo it", async (t) => {
  const { accounts, passwords, store, me } = await signedIn(t);
  const actor = (await accounts.identify(me)).value;
  assert.ok(actor.kind === "user");
  passwords.judged = () => accounts.resetPassword("ann", OTHER);
  const change = { current: PASSWORD, password: "the thief's own secret" };
  await assert.rejects(accounts.changePassword(actor, change, me), { code: "wrong-password" });
  assert.equal(passwords.judged, undefined);
  assert.deepEqual(await sessionRows(store), []);
  await assert.rejects(accounts.signIn("ann", change.password, stranger), {
    code: "wrong-password",
  });
  assert.equal((await accounts.signIn("ann", OTHER, stranger)).value.kind, "user");
});

for (const cookie of [
  "everseed.session_token=",
  "everseed.session_token=x.y",
  "everseed.session_token=%zz",
  `everseed.session_token=${"a".repeat(5000)}`,
]) {
  test(`HUB-10: the forged cookie ${cookie.slice(0, 40)} is a stranger's`, async (t) => {
    const { accounts } = await signedIn(t);
    assert.equal((await accounts.identify({ ...stranger, cookie })).value.kind, "stranger");
  });
}

test("HUB-24: a token is stored hashed, works in the header only, can be revoked, expires", async (t) => {
  const { accounts, store, id } = await signedIn(t);
  const created = await accounts.createToken(id, {
    name: "ci",
    scope: "publish",
    expiresInDays: 1,
  });
  const rows = await store.db
    .$extendTables<{ apikey: { key: string } }>()
    .selectFrom("apikey")
    .selectAll()
    .execute();
  assert.ok(!JSON.stringify(rows).includes(created.token));
  const bearer = (token: string): Credentials => ({
    ...stranger,
    authorization: `Bearer ${token}`,
  });
  const who = (await accounts.identify(bearer(created.token))).value;
  assert.deepEqual(who, { kind: "user", id, name: "Ann", role: "admin", by: "publish-token" });
  for (const wrong of ["", "x", `${created.token}x`, created.token.slice(0, -1), "a b"]) {
    assert.equal((await accounts.identify(bearer(wrong))).value.kind, "stranger", wrong);
  }
  const [listed] = await accounts.tokens(id);
  assert.equal(listed?.scope, "publish");
  assert.equal(listed?.start, created.token.slice(0, 11));
  assert.ok(listed.expiresMs > Date.now() && listed.lastUsedMs !== null);
  assert.ok(!("token" in listed));
  await assert.rejects(accounts.revokeToken("somebody else", created.id), { code: "not-found" });
  await accounts.revokeToken(id, created.id);
  assert.equal((await accounts.identify(bearer(created.token))).value.kind, "stranger");

  const short = await accounts.createToken(id, { name: "x", scope: "admin", expiresInDays: 1 });
  await store.db
    .$extendTables<{ apikey: { id: string; expiresAt: string } }>()
    .updateTable("apikey")
    .set({ expiresAt: "2020-01-01T00:00:00.000Z" })
    .where("id", "=", short.id)
    .execute();
  assert.equal((await accounts.identify(bearer(short.token))).value.kind, "stranger");
});

test("the tables are those that better-auth wants", async (t) => {
  const { getMigrations } = await import("better-auth/db/migration");
  const store = await openStore(":memory:");
  t.after(() => store.close());
  const library = await loadAuthLibrary({
    db: store.db,
    secret: "0123456789abcdef".repeat(4),
    siteUrl: "http://127.0.0.1",
    passwords: new CountingHash(),
    log: SILENT_LOG,
    passwordCharacters: { min: 10, max: 256 },
  });
  const { toBeCreated, toBeAdded } = await getMigrations(library.options);
  assert.deepEqual([...toBeCreated, ...toBeAdded], []);
});
