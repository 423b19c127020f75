import assert from "node:assert/strict";
import { test } from "node:test";
import { DEVICE_COOKIE, KnownBrowsers } from "./known-browsers.ts";

let chance = 0;
const random = {
  below: () => 0,
  bytes: (length: number) => new Uint8Array(length).fill((chance += 1)),
};

function browsers(secret = "s".repeat(64), siteUrl = "http://hub.example"): KnownBrowsers {
  return new KnownBrowsers({ secret, siteUrl, random });
}

function sent(cookies: readonly string[]): string {
  return `everseed.session_token=x; ${cookies[0]!.split(";")[0]!}; other=1`;
}

test("a browser that signed in is known by that name, in any case, and by no other", () => {
  const cookies = browsers().remember(null, "Ann");
  assert.match(cookies[0]!, /; Max-Age=31536000; Path=\/; HttpOnly; SameSite=Lax$/);
  assert.ok(!cookies[0]!.toLowerCase().includes("ann"), "no name is in it");
  const found = browsers().find(sent(cookies), "ANN");
  assert.ok(found);
  assert.equal(browsers().find(sent(cookies), "ann")?.id, found.id);
  assert.equal(browsers().find(sent(cookies), "bob"), undefined);
  assert.equal(browsers().find(null, "ann"), undefined);
  assert.deepEqual(browsers().remember(sent(cookies), "ann"), [], "the browser keeps its cookie");
  assert.match(browsers("s", "https://hub.example").remember(null, "ann")[0]!, /; Secure$/);
});

test("a mark that was changed, or sealed by another hub, is refused", () => {
  const cookie = sent(browsers().remember(null, "ann"));
  const start = cookie.indexOf(DEVICE_COOKIE) + DEVICE_COOKIE.length + 1;
  for (let at = start; at < cookie.indexOf("; other"); at += 1) {
    const digit = cookie[at] === "0" ? "1" : "0";
    const changed = cookie.slice(0, at) + digit + cookie.slice(at + 1);
    assert.equal(browsers().find(changed, "ann"), undefined, `at ${at - start}`);
  }
  assert.equal(browsers("t".repeat(64)).find(cookie, "ann"), undefined);
  assert.equal(browsers().find(`${DEVICE_COOKIE}=${"a".repeat(9000)}`, "ann"), undefined);
});

test("four people may share a browser; a fifth takes the place of the first", () => {
  let cookie: string | null = null;
  for (const name of ["ann", "bob", "cat", "dan", "eve"]) {
    cookie = browsers().remember(cookie, name)[0]!.split(";")[0]!;
  }
  const known = ["ann", "bob", "cat", "dan", "eve"].map((name) => browsers().find(cookie, name));
  assert.deepEqual(
    known.map((each) => each !== undefined),
    [false, true, true, true, true],
  );
});

test("a cookie holds at most four marks, and only four are read", () => {
  let cookie: string | null = null;
  const marks: string[] = [];
  for (let person = 0; person < 12; person += 1) {
    const value: string = browsers()
      .remember(cookie, `person${person}`)[0]!
      .split(";")[0]!
      .slice(DEVICE_COOKIE.length + 1);
    cookie = `${DEVICE_COOKIE}=${value}`;
    marks.push(value.split(".")[0]!);
    assert.equal(value.split(".").length, Math.min(4, person + 1));
  }
  // Somebody puts the marks of five sign-ins into one cookie: only four people count.
  const five = `${DEVICE_COOKIE}=${marks.slice(0, 5).join(".")}`;
  const known = [0, 1, 2, 3, 4].map((person) => browsers().find(five, `person${person}`));
  assert.deepEqual(
    known.map((each) => each !== undefined),
    [true, true, true, true, false],
  );
});
